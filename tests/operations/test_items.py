"""Listed items and what changed since are found as in a plain dict, and stay as they are for who reads them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chekt_provider.model.fields import Station
from chekt_provider.operations import items as module
from chekt_provider.operations.items import Items

NUMBERS = st.integers(1, 12).map(str)
NAMES = st.sampled_from(["North", "South", "North-West", ""])
CHANGES = st.lists(st.tuples(NUMBERS, NAMES | st.none()), max_size=3 * module.MOST_CHANGES // 2)


def station(number: str, name: str) -> Station:
    return Station(monitoring_station_id=number, external_monitoring_station_id=f"s-{number}", name=name)


def name_of(station: Station) -> str:
    return station.name


def length_of(station: Station) -> int:
    return len(station.name)


@given(listed=st.dictionaries(NUMBERS, NAMES), changes=CHANGES, many=st.booleans())
def test_items_are_those_of_a_dict(listed: dict[str, str], changes: list[tuple[str, str | None]], many: bool) -> None:
    """After every change: which there are, which say a value, which hold a text, and what they say."""
    plain = {number: station(number, name) for number, name in listed.items()}
    items = Items(dict(plain))
    for number, name in changes * (module.MOST_CHANGES // 2 if many else 1):
        if name is None:
            plain.pop(number, None)
        else:
            plain[number] = station(number, name)
        items = items.changed(number, plain.get(number))

    assert dict(items) == plain
    assert len(items) == len(plain)
    for name in ("North", "South", "", "East"):
        expected = {number for number, item in plain.items() if item.name == name}
        assert {item.number for item in items.where(name_of, name)} == expected
        assert len(items.where(name_of, name)) == len(expected)
    for part in ("North", "th-W", "South", "East"):
        expected = {number for number, item in plain.items() if part in item.name}
        assert {item.number for item in items.holding(name_of, part)} == expected
        assert len(items.holding(name_of, part)) == len(expected)
    assert items.said(length_of) >= {len(item.name) for item in plain.values()}


def test_a_change_leaves_the_items_as_they_are_for_who_reads_them() -> None:
    """Another thread may be in the middle of them."""
    before = Items({"1": station("1", "North")})

    before.changed("1", None)
    before.changed("2", station("2", "South"))

    assert {number: item.name for number, item in before.items()} == {"1": "North"}


def test_a_text_is_found_within_one_item_and_not_across_two() -> None:
    """Those of two neighbours stand side by side where they are searched."""
    items = Items({"1": station("1", "North"), "2": station("2", "South")})

    assert items.holding(name_of, "thSo") == []
    assert [item.number for item in items.holding(name_of, "th")] == ["1", "2"]


def test_what_is_asked_of_many_items_is_asked_once_of_each() -> None:
    """However many values are looked for."""
    asked: list[str] = []

    def name(station: Station) -> str:
        asked.append(station.number)
        return station.name

    items = Items({str(number): station(str(number), f"S {number}") for number in range(1, 1001)})

    assert [items.where(name, f"S {number}")[0].number for number in (1, 500, 999)] == ["1", "500", "999"]
    assert len(asked) == 1000
