"""Stations that may be the wanted one are found without looking at each, and none is missed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chekt_provider.model.fields import Station
from chekt_provider.model.forms import is_cut_anywhere, is_like_it, is_like_loosely, same_form
from chekt_provider.operations.directory import beginning, called, called_in, perhaps_cut
from chekt_provider.operations.items import Items
from chekt_provider.operations.lookalikes import near_loosely

WANTED = st.sampled_from(
    [
        "s-1",
        "Zentrale-München-Süd-07",
        "central-01",
        "dealer 0042/central station 0017",
        "ABC",
        "\ufb01ne-\u2116 12",
        "1",
        "ß",
    ]
)
SIGNS = st.sampled_from(["", "-", " ", "_", "/", "x", "0", "7", "  ", "&amp;", "é"])


@st.composite
def altered(draw: st.DrawFn, wanted: str) -> str:
    """What an API may make of an external id, or of one that is near it."""
    text = wanted
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(text)))
        text = draw(
            st.sampled_from(
                [
                    text.upper(),
                    text.casefold(),
                    text[:place],
                    text[place:],
                    text[:place] + draw(SIGNS) + text[place:],
                    text.replace("-", "").replace(" ", ""),
                    text.replace("0", ""),
                    f"{draw(SIGNS)}{text}{draw(SIGNS)}",
                    f"pre-{text}-post",
                ]
            )
        )
    return text


@settings(max_examples=300)
@given(data=st.data(), wanted=WANTED)
def test_no_station_is_missed_that_a_look_at_each_would_find(data: st.DataObject, wanted: str) -> None:
    """By every rule of forms.py by which an external id may be the wanted one."""
    kept = data.draw(st.lists(altered(wanted), max_size=12))
    stations = [
        Station(monitoring_station_id=str(n), external_monitoring_station_id=text, name="A")
        for n, text in enumerate(kept, start=1)
    ]
    items = Items({station.number: station for station in stations})

    def found(rule: object, candidates: list[Station]) -> set[str]:
        return {it.number for it in candidates if rule(it.external_monitoring_station_id, wanted)}  # type: ignore[operator]

    assert found(is_like_it, beginning(items, wanted)) == found(is_like_it, stations)
    loosely = [*beginning(items, wanted), *near_loosely(items, wanted)]
    assert found(is_like_loosely, loosely) == found(is_like_loosely, stations)
    assert [it.number for it in called_in(items, wanted)] == [it.number for it in called(stations, wanted)]
    assert found(same_form, called_in(items, wanted)) <= found(same_form, stations)
    longest = max((len(text) for text in kept), default=0)
    assert set(perhaps_cut(items, wanted)) == {
        it.number
        for it in stations
        if len(it.external_monitoring_station_id) == longest
        and is_cut_anywhere(it.external_monitoring_station_id, wanted)
    }
