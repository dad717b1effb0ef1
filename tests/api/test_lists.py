"""Lists: an array parsed as it arrives, and a list that CHeKT cuts into pages read to its end, or an error."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_provider.api.answers import Answer
from chekt_provider.api.array import LONGEST_ITEM, BadArrayError, array_items
from chekt_provider.api.extent import Extent
from chekt_provider.api.lists import MOST_BYTES, MOST_ITEMS, MOST_REQUESTS, ListReader
from chekt_provider.errors import ChektError, Evidence, InvalidInput, ListIncomplete, NotFound
from tests.helpers import peak_memory

# arrays

BROKEN = "the answer is not the JSON it says it is"
NO_ARRAY = "the list is not an array"


def broken(*pieces: bytes) -> str:
    """Why an array cannot be parsed."""
    with pytest.raises(BadArrayError) as caught:
        list(array_items(pieces))
    return str(caught.value)


ITEMS: list[Any] = [{"id": 1, "name": "Zürich 🏠"}, {"a": [1, {"b": "]},["}]}, [], [-1.5e3], {}, "x,]", True, None]


@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "UTF-8"])
@pytest.mark.parametrize("indent", [None, 2], ids=["one line", "indented"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_an_array_is_taken_apart_wherever_its_pieces_end(ascii_only: bool, indent: int | None, size: int) -> None:
    """A piece may end in the middle of a name or a letter."""
    text = json.dumps(ITEMS, ensure_ascii=ascii_only, indent=indent).encode()

    assert list(array_items(text[at : at + size] for at in range(0, len(text), size))) == ITEMS


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (b"[]", []),
        (b" [ ] ", []),
        (b"\xef\xbb\xbf[1]", [1]),
        (b"\r\n\t [\r\n\t 1 ,\r\n\t 2 \r\n\t]\r\n\t ", [1, 2]),
        (b"[[[]], [1]]", [[[]], [1]]),
    ],
)
def test_blanks_and_a_byte_order_mark_mean_nothing(text: bytes, items: list[Any]) -> None:
    """Before, inside and after the array."""
    assert list(array_items([text])) == items
    assert list(array_items(bytes([byte]) for byte in text)) == items


def test_a_number_may_go_on_in_the_next_piece() -> None:
    """This is true of everything else too."""
    assert list(array_items([b"[1", b"2, 3", b"45]"])) == [12, 345]


def test_an_item_comes_before_the_next_is_there() -> None:
    """Nothing waits for the end of the array."""
    came: list[str] = []

    def pieces() -> Iterator[bytes]:
        for piece in (b'[{"id": 1}, {"id"', b": 2}, 3", b", 4]"):
            came.append(piece.decode())
            yield piece

    items = array_items(pieces())

    assert (next(items), len(came)) == ({"id": 1}, 1)
    assert (next(items), len(came)) == ({"id": 2}, 2)
    assert list(items) == [3, 4]


@pytest.mark.parametrize("cut", range(len(b'\xef\xbb\xbf[{"a": "\xc3\xa9"}, 12]')))
def test_an_array_that_is_cut_is_no_shorter_one(cut: int) -> None:
    """It may be cut at any byte: half a list never passes for a whole one."""
    text = b'\xef\xbb\xbf[{"a": "\xc3\xa9"}, 12]'[:cut]

    why = broken(text)

    assert why == (BROKEN if len(text) > 3 else NO_ARRAY)
    assert broken(*(bytes([byte]) for byte in text)) == why


@pytest.mark.parametrize(
    "text",
    [b"{}", b'{"data": []}', b"null", b'"[]"', b"17", b"", b"  ", b"<html>", b"\xef\xbb\xbf", b"]", b",", b"NaN"],
)
def test_what_is_no_array_is_told_so(text: bytes) -> None:
    """An empty answer is no array either."""
    assert broken(text) == NO_ARRAY


@pytest.mark.parametrize(
    "text",
    [
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b"[1}",
        b"[1]]",
        b"[1] 2",
        b"[1][2]",
        b"[1],",
        b'[{"a": 1]',
        b"[{'a': 1}]",
        b"[NaN]",
        b"[Infinity]",
        b"[-Infinity]",
        b'[{"a": NaN}]',
        b"[tru]",
        b"[\x00]",
        b"[\xa01]",
        b"[1, \xff]",
        b'["\xc3"]',
        b'["\xed\xa0\x80"]',
        b'["a\nb"]',
        b"[\xef\xbb\xbf1]",
    ],
)
def test_what_is_no_json_is_told_so(text: bytes) -> None:
    """The grammar and UTF-8 decide: NaN is no JSON, though Python's own reader takes it."""
    assert broken(text) == BROKEN
    assert broken(*(bytes([byte]) for byte in text)) == BROKEN


@pytest.mark.parametrize("piece", [b"[", b'[{"a":'], ids=["arrays", "objects"])
@pytest.mark.parametrize("whole", [True, False], ids=["closed", "open"])
def test_a_hundred_thousand_levels_are_no_json(piece: bytes, whole: bool) -> None:
    """It is an error, not the end of the process."""
    depth = 100_000
    text = b"[" + piece * depth + (b"1" + piece.replace(b"[", b"]").replace(b'{"a":', b"}")[::-1] * depth) * whole

    assert broken(text) == BROKEN
    assert broken(*(text[at : at + 65536] for at in range(0, len(text), 65536))) == BROKEN


def test_the_longest_item() -> None:
    """An item of 1 MiB is taken, however it is cut into pieces; one that has not ended by then is given up."""
    assert LONGEST_ITEM == 1024 * 1024
    longest = b'"' + b"x" * (LONGEST_ITEM - 2) + b'"'
    pieces = [longest[at : at + 65536] for at in range(0, len(longest), 65536)]

    assert [len(item) for item in array_items([b"[", *pieces, b",", *pieces, b"]"])] == [LONGEST_ITEM - 2] * 2
    assert broken(b"[", longest[:-1], b"xx") == BROKEN


def test_an_item_that_never_ends_does_not_fill_the_memory() -> None:
    """It reads no more than an item may be long."""
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield b'["'
        while True:
            taken += 65536
            yield b"x" * 65536

    with pytest.raises(BadArrayError):
        list(array_items(endless()))

    assert taken == 1024 * 1024


def test_a_long_array_is_read_at_flat_memory() -> None:
    """50 MiB of items that nobody keeps."""
    piece = b"," + json.dumps({"id": 1, "name": "x" * 1000}).encode()
    count = 50 * 1024
    pieces = [b"[0", *(piece for _ in range(count)), b"]"]

    found, peak = peak_memory(lambda: sum(1 for _ in array_items(pieces)))

    assert found == count + 1
    assert peak < 1024 * 1024


@given(
    st.lists(
        st.none()
        | st.booleans()
        | st.text()
        | st.lists(st.integers() | st.text())
        | st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False) | st.text())
    ),
    st.lists(st.integers(1, 40), max_size=20),
)
def test_any_array_in_any_pieces_is_what_it_is_whole(items: list[Any], sizes: list[int]) -> None:
    """The reader of whole texts is the oracle."""
    text = json.dumps(items, ensure_ascii=False).encode()
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size

    assert list(array_items([*pieces, text[at:]])) == items


# lists

Query = Mapping[str, str] | str
Ask = Callable[[Query], Answer]
LIST = "/partner/v1/dealers/1/sites"


def answer(items: Iterable[int], *, size: int = 0, **more: Any) -> Answer:
    return Answer([str(item) for item in items], Evidence(), extent=Extent(**more), size=size)


def having(shown: Answer, **more: Any) -> Answer:
    """The same answer, with more said about its list."""
    return replace(shown, extent=replace(shown.extent, **more))


def number(query: Query, name: str, default: int) -> int:
    return int(query.get(name, default)) if not isinstance(query, str) else default


class Listed:
    """An API's list of this many items, 1, 2 …, and a record of what it was asked.

    Args:
        way: how it is cut.
        count: of all items.
        size: of a page.
        told: whether answers name the total.
        unknown: the answer to a query that the way does not know; None ignores the query.
        beyond: the answer to a page beyond the end; None gives an empty one.
    """

    def __init__(
        self,
        way: str,
        count: int,
        *,
        size: int = 2,
        told: bool = False,
        unknown: type[ChektError] | None = None,
        beyond: type[ChektError] | None = None,
    ) -> None:
        self._way, self._size, self._told = way, size, told
        self._unknown, self._beyond = unknown, beyond
        self.items = list(range(1, count + 1))
        self.asked: list[Query] = []

    def __call__(self, query: Query) -> Answer:
        self.asked.append(query)
        known = {"page 0": "page", "page 1": "page"}.get(self._way, self._way)
        if self._unknown and not isinstance(query, str) and set(query) - {known}:
            raise self._unknown("no")
        total = len(self.items) if self._told else None
        if self._way == "whole":
            return answer(self.items, total=total)
        if self._way == "links":
            first = int(query.removeprefix("after=")) if isinstance(query, str) else 0
            following = f"{LIST}?after={first + self._size}" if first + self._size < len(self.items) else None
            return answer(self.items[first : first + self._size], next_page=following, total=total)
        if known == "page":
            lowest = int(self._way[-1])
            first = (number(query, "page", lowest) - lowest) * self._size
        else:
            first = number(query, known, 0)
        if self._beyond and first and first >= len(self.items):
            raise self._beyond("no such page")
        return answer(self.items[first : first + self._size], total=total)


def reader(ask: Ask) -> ListReader[str]:
    return ListReader[str](ask, str, LIST, lambda seconds: None)


def read(ask: Ask) -> list[int]:
    """The items of a list, in the order in which they came."""
    return [int(item) for item in reader(ask).read()]


def refused(ask: Ask) -> str:
    """Why a list does not count as whole."""
    with pytest.raises(ListIncomplete) as caught:
        reader(ask).read()
    return caught.value.cause


def scripted(*answers: Answer | type[ChektError]) -> tuple[Ask, list[Query]]:
    """An API that gives these answers in turn, then the last one again and again."""
    left = list(answers)
    asked: list[Query] = []

    def ask(query: Query) -> Answer:
        asked.append(query)
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, Answer):
            return now
        raise now("no")

    return ask, asked


WAYS = ["whole", "offset", "page 1", "page 0", "links"]


@pytest.mark.parametrize("told", [False, True], ids=["no total", "total"])
@pytest.mark.parametrize("beyond", [None, NotFound], ids=["empty", "404"])
@pytest.mark.parametrize("unknown", [None, InvalidInput, NotFound], ids=["ignored", "400", "404"])
@pytest.mark.parametrize("way", [*WAYS, "skip"])
def test_a_list_cut_in_any_way_gives_every_item_once(
    way: str, told: bool, beyond: type[ChektError] | None, unknown: type[ChektError] | None
) -> None:
    """Whatever it answers to ways it does not know, and beyond its end; "skip" is tried with a total only."""
    for count, size in itertools.product(range(8), (1, 2, 3)):
        api = Listed(way, count, size=size, told=told or way == "skip", unknown=unknown, beyond=beyond)

        assert sorted(read(api)) == api.items, (count, size)


@pytest.mark.parametrize(
    ("way", "count", "told", "asked"),
    [
        ("whole", 0, False, [{}, {}]),
        ("whole", 0, True, [{}, {}]),
        ("whole", 5, False, [{}, {"offset": "4"}, {"page": "2"}]),
        ("whole", 5, True, [{}]),
        ("offset", 2, False, [{}, *({"offset": n} for n in "122")]),
        ("offset", 3, False, [{}, *({"offset": n} for n in "1233")]),
        ("offset", 5, False, [{}, *({"offset": n} for n in "123455")]),
        ("offset", 5, True, [{}, *({"offset": n} for n in "123")]),
        ("page 1", 2, False, [{}, {"offset": "1"}, {"page": "2"}, {"page": "2"}, {"page": "1"}]),
        ("page 1", 5, False, [{}, {"offset": "1"}, *({"page": n} for n in "21344")] * 2),
        ("page 1", 5, True, [{}, {"offset": "1"}, {"page": "2"}, {"page": "1"}, {"page": "3"}] * 2),
        ("page 0", 3, False, [{}, {"offset": "1"}, *({"page": n} for n in "2210")] * 2),
        ("page 0", 7, False, [{}, {"offset": "1"}, *({"page": n} for n in "210344")] * 2),
        ("skip", 5, True, [{}, {"offset": "1"}, {"page": "2"}, {"skip": "1"}, {"skip": "2"}, {"skip": "3"}]),
        ("links", 2, True, [{}]),
        ("links", 5, False, [{}, "after=2", "after=4"] * 2),
        ("links", 5, True, [{}, "after=2", "after=4"] * 2),
    ],
)
def test_what_a_list_is_asked(way: str, count: int, told: bool, asked: list[Query]) -> None:
    """One way of paging at a time, and no other once one brings more, or everything is there.

    An empty list is asked for twice; so are pages without a total. The last item is asked for again if a page may
    hold another.
    """
    api = Listed(way, count, told=told)
    reading = reader(api)

    reading.read()

    assert api.asked == asked
    assert reading.requests == len(asked)


@pytest.mark.parametrize(
    ("unknown", "asked"),
    [
        (InvalidInput, [{}, {"offset": "1"}, {"page": "2"}, {"page": "1"}, {"page": "0"}]),
        (
            NotFound,
            [
                {},
                *[{"offset": "1"}, {}] * 2,
                *[{"page": "2"}, {}] * 2,
                *[{"page": "1"}, {}] * 2,
                *[{"page": "0"}, {}] * 2,
            ],
        ),
    ],
)
def test_a_list_that_takes_no_questions_is_whole(unknown: type[ChektError], asked: list[Query]) -> None:
    """404 may be about the dealer: then the list, asked for again, fails as well."""
    api = Listed("whole", 2, unknown=unknown)

    assert read(api) == [1, 2]
    assert api.asked == asked


@pytest.mark.parametrize("kind", [InvalidInput, NotFound])
@pytest.mark.parametrize("before", [[], [answer([1, 2])], [answer([1, 2]), answer([2, 3]), answer([3, 4])]])
def test_a_list_that_fails_is_an_error(kind: type[ChektError], before: list[Answer]) -> None:
    """It fails at its beginning, when the dealer goes, or when a way is refused that was taken before."""
    ask, _ = scripted(*before, kind)

    if kind is InvalidInput and len(before) == 1:
        assert read(ask) == [1, 2]
    else:
        with pytest.raises(kind):
            read(ask)


@pytest.mark.parametrize("way", ["page 1", "page 0"])
def test_a_page_that_is_refused_after_another_is_an_error(way: str) -> None:
    """CHeKT takes this way: the refusal is not the end."""
    api = Listed(way, 7)

    def ask(query: Query) -> Answer:
        if query == {"page": "3"}:
            raise InvalidInput("no")
        return api(query)

    with pytest.raises(InvalidInput):
        read(ask)


# empty lists


def test_a_list_that_comes_empty_once_is_read_from_the_second_answer() -> None:
    """A list that went wrong looks like an empty one."""
    ask, asked = scripted(answer([]), answer([1, 2]))

    assert read(ask) == [1, 2]
    assert asked == [{}, {}, {"offset": "1"}, {"page": "2"}]


def test_an_empty_list_that_says_it_has_items_is_refused() -> None:
    """It is looked at three times, twice each."""
    ask, asked = scripted(answer([], total=3))

    assert refused(ask) == "what CHeKT lists is not whole: it says that there are 3, and shows 0"
    assert asked == [{}] * 8


def test_an_empty_page_with_a_link_is_not_asked_for_twice() -> None:
    """The link says that there is more."""
    ask, asked = scripted(*[answer([], next_page=f"{LIST}?c=1"), answer([7])] * 2)

    assert read(ask) == [7]
    assert asked == [{}, "c=1"] * 2


# totals


@pytest.mark.parametrize(("total", "told"), [(4, "4"), (12_345, "12,345")])
def test_a_total_that_is_never_reached_is_an_error(total: int, told: str) -> None:
    """Whatever was tried."""
    ask, asked = scripted(answer([1, 2, 3], total=total))

    assert refused(ask) == f"what CHeKT lists is not whole: it says that there are {told}, and shows 3"
    assert asked == [{}, {"offset": "2"}, {"page": "2"}, {"skip": "2"}] * 4


def test_a_total_that_is_reached_at_the_second_reading_is_enough() -> None:
    """The list may have changed while it was read."""
    ask, asked = scripted(*[answer([1, 2], total=3)] * 4, answer([1, 3], total=2))

    assert read(ask) == [1, 3]
    assert asked == [{}, {"offset": "1"}, {"page": "2"}, {"skip": "1"}, {}]


def test_a_total_that_changes_while_a_list_is_read_is_read_again() -> None:
    """One item less and one page on: the count fits, but one item slipped through."""
    slipped = [answer([1, 2], total=4), answer([4], total=3)]
    ask, asked = scripted(*slipped, answer([1, 3, 4], total=3))

    assert read(ask) == [1, 3, 4]
    assert asked == [{}, {"offset": "1"}, {}]


def test_links_that_end_before_the_total_are_an_error() -> None:
    """A list of links says two things about its end."""
    ask, asked = scripted(*[answer([1, 2], next_page=f"{LIST}?c=1", total=5), answer([3], total=5)] * 4)

    assert refused(ask) == "what CHeKT lists is not whole: it says that there are 5, and shows 3"
    assert asked == [{}, "c=1"] * 4


# pages that are counted, and answers that are a part


def test_fewer_items_than_pages_that_are_told_are_an_error() -> None:
    """A third page of pages of two has a fifth item; nothing that was tried brought it."""
    ask, asked = scripted(answer([1, 2], pages=3))

    assert refused(ask) == "what CHeKT lists is not whole: it says that there are at least 5, and shows 2"
    assert asked == [{}, {"offset": "1"}, {"page": "2"}, {"skip": "1"}] * 4


def test_a_page_that_is_lost_of_those_that_are_told_is_an_error() -> None:
    """The third comes empty, twice: without a number of pages, that would be the end."""
    api = Listed("page 1", 7)

    def ask(query: Query) -> Answer:
        came = api(query).data if number(query, "page", 1) < 3 else []
        return Answer(came, Evidence(), extent=Extent(pages=4))

    assert refused(ask) == "what CHeKT lists is not whole: it says that there are at least 7, and shows 4"


def test_a_total_that_is_less_than_the_pages_that_are_told_is_no_end() -> None:
    """Some servers count the items of the page under such a name."""
    ask, _ = scripted(answer([1, 2], total=2, pages=2))

    assert refused(ask) == "what CHeKT lists is not whole: it says that there are at least 3, and shows 2"


@pytest.mark.parametrize("way", ["offset", "page 1", "page 0", "skip", "links"])
def test_a_part_is_read_to_the_end(way: str) -> None:
    """Every page may say so, even the last: only a question for what comes after shows that it is the last."""
    for count, size in itertools.product(range(2, 8), (1, 2, 3)):
        api = Listed(way, count, size=size)

        def ask(query: Query, api: Listed = api, is_part: bool = count > size) -> Answer:
            return having(api(query), is_part=is_part)

        assert sorted(read(ask)) == api.items, (count, size)


@pytest.mark.parametrize("way", ["offset", "page 1", "page 0", "skip", "links"])
def test_as_many_pages_as_are_told_are_read_to_the_end(way: str) -> None:
    """Every page tells their number."""
    for count, size in itertools.product(range(8), (1, 2, 3)):
        api = Listed(way, count, size=size)

        def ask(query: Query, api: Listed = api, pages: int = -(-count // size)) -> Answer:
            return having(api(query), pages=pages)

        assert sorted(read(ask)) == api.items, (count, size)


def test_a_part_without_a_rest_is_an_error() -> None:
    """Neither way of paging brings the rest."""
    ask, asked = scripted(answer([1, 2], is_part=True))

    assert refused(ask) == "what CHeKT lists is not whole: it says that there are at least 3, and shows 2"
    assert asked == [{}, {"offset": "1"}, {"page": "2"}, {"skip": "1"}] * 4


def test_a_part_that_is_whole_the_next_time_is_whole() -> None:
    """The question for what comes after its end brings all of it."""
    ask, _ = scripted(answer([1, 2], is_part=True), answer([1, 2, 3]))

    assert read(ask) == [1, 2, 3]


# contradictions


def test_half_a_list_that_is_whole_the_next_time_is_whole() -> None:
    """What is known comes again, with something new: that answer is the list."""
    ask, asked = scripted(answer([1, 2]), answer([1, 2, 3, 4]))

    assert read(ask) == [1, 2, 3, 4]
    assert asked == [{}, {"offset": "1"}, {"page": "2"}]


def test_half_a_list_that_is_whole_at_the_second_question_is_whole() -> None:
    """The same, one question later."""
    ask, asked = scripted(answer([1, 2]), answer([]), answer([1, 2, 3, 4]))

    assert read(ask) == [1, 2, 3, 4]
    assert asked == [{}, {"offset": "1"}, {"offset": "1"}, {"page": "2"}]


def test_a_whole_list_of_which_half_comes_the_next_time_is_read_again() -> None:
    """The half is not the end: its last item is not the list's last."""
    ask, asked = scripted(answer([1, 2, 3, 4]), answer([1, 2]), answer([1, 2, 3, 4]))

    assert read(ask) == [1, 2, 3, 4]
    assert asked == [{}, {"offset": "3"}, {}, {"offset": "3"}, {"page": "2"}]


@pytest.mark.parametrize(
    ("deleted", "first", "second"), [(1, [1, 2, 3], [4, 5, 6]), (3, [1, 2, 3], [4, 5, 6]), (2, [1, 2, 3], [4, 5, 6])]
)
def test_no_item_slips_through_when_another_is_deleted(deleted: int, first: list[int], second: list[int]) -> None:
    """Offset 2 shows item 4 but not item 3, the last known one: the list is read again."""
    rest = [item for item in [*first, *second] if item != deleted]
    script = [answer(first), answer(rest[2:5]), answer(rest[:3]), answer(rest[2:5]), answer(rest[4:]), answer([])]
    ask, asked = scripted(*script)

    assert read(ask) == rest
    assert [query["offset"] for query in asked if query and not isinstance(query, str)] == ["2", "2", "4", "5", "5"]


def test_an_item_that_was_made_meanwhile_moves_none_away() -> None:
    """The newest comes first: the last known item comes again, followed by the rest."""
    ask, asked = scripted(answer([5, 4, 3]), answer([4, 3, 2]), answer([2]), answer([]))

    assert read(ask) == [5, 4, 3, 2]
    assert asked == [{}, *({"offset": n} for n in "2344")]


def test_pages_that_do_not_follow_three_times_are_an_error() -> None:
    """A list that changes that fast cannot be read."""
    ask, asked = scripted(*[answer([5, 4]), answer([3, 2])] * 4)

    assert refused(ask) == "what CHeKT lists is not whole: what comes after its last item does not follow it"
    assert asked == [{}, {"offset": "1"}] * 4


def test_pages_are_read_until_two_readings_agree() -> None:
    """Somebody deletes item 1 while page 2 is read: item 3 slips through once."""
    asked: list[Query] = []

    def ask(query: Query) -> Answer:
        asked.append(query)
        items = [1, 2, 3, 4, 5] if len(asked) < 4 else [2, 3, 4, 5]
        first = (number(query, "page", 1) - 1) * 2
        return answer(items[first : first + 2])

    assert read(ask) == [2, 3, 4, 5]
    assert len([query for query in asked if not query]) == 3


@pytest.mark.parametrize("way", ["page 1", "links"])
def test_no_item_slips_through_while_another_takes_its_place_in_the_total(way: str) -> None:
    """Somebody deletes item 1 and makes item 7 before the last page is read: there are six before and after."""
    pages = 0

    def ask(query: Query) -> Answer:
        nonlocal pages
        pages += 1
        items = [1, 2, 3, 4, 5, 6] if pages < (5 if way == "page 1" else 3) else [2, 3, 4, 5, 6, 7]
        if way == "page 1":
            first, more = number(query, "page", 1) * 2 - 2, None
        else:
            first = int(query.partition("=")[2]) if isinstance(query, str) else 0
            more = f"{LIST}?after={first + 2}" if first < 4 else None
        return answer(items[first : first + 2], total=6, next_page=more)

    assert sorted(read(ask)) == [2, 3, 4, 5, 6, 7]


def test_pages_that_never_agree_are_an_error() -> None:
    """Five readings by links, five lists; before the last three it waits."""
    readings = iter([[1], [2], [3], [4], [5]])

    def changing(query: Query) -> Answer:
        return answer([7], next_page="?c=1") if query == {} else answer(next(readings))

    assert refused(changing) == (
        "what CHeKT lists is not whole: its pages show other items each time that they are read"
    )


def test_pages_shorter_than_the_list_unasked_are_turned_from_the_first() -> None:
    """Without a page number it shows four items, with one two: page 2 brings nothing new, and is not the end."""
    items = [1, 2, 3, 4, 5, 6, 7]

    def ask(query: Query) -> Answer:
        if "page" not in query:
            return answer(items[:4])
        first = (number(query, "page", 1) - 1) * 2
        return answer(items[first : first + 2])

    assert read(ask) == items


@pytest.mark.parametrize("unasked", [1, 2, 3, 10, 30, 99])
@pytest.mark.parametrize("size", [2, 10, 20])
@pytest.mark.parametrize("lowest", [0, 1])
@pytest.mark.parametrize("told", [False, True], ids=["no total", "total"])
def test_pages_of_another_length_than_the_list_unasked_are_read(
    unasked: int, size: int, lowest: int, told: bool
) -> None:
    """Shorter and longer pages, counted from 0 and from 1, and a list that comes whole if nobody asks for a page."""
    for count in (0, 1, 2, 19, 20, 25, 40, 45, 61):
        items = list(range(1, count + 1))

        def ask(query: Query, items: list[int] = items) -> Answer:
            total = len(items) if told else None
            if "page" not in query:
                return answer(items[:unasked], total=total)
            first = (number(query, "page", lowest) - lowest) * size
            return answer(items[max(first, 0) : first + size] if first >= 0 else [], total=total)

        assert sorted(read(ask)) == items, count


def test_items_one_at_a_time_are_not_the_end() -> None:
    """Three items unasked, and one for each offset: the last known item alone does not prove that nothing follows."""

    def ask(query: Query) -> Answer:
        first = number(query, "offset", 0)
        return answer(range(first + 1, min(first + 1, 7) + 1) if query else [1, 2, 3])

    assert read(ask) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("beyond", [[], [7]], ids=["empty", "the last again"])
@pytest.mark.parametrize("kind", [None, InvalidInput, NotFound])
def test_an_offset_ends_at_the_last_item(kind: type[ChektError] | None, beyond: list[int]) -> None:
    """Whatever answers the question for what follows it: nothing, the last item again, or a refusal."""

    def ask(query: Query) -> Answer:
        first = number(query, "offset", 0)
        if first >= 7 and kind:
            raise kind("out of range")
        return answer(range(first + 1, min(first + 3, 7) + 1) if first < 7 else beyond)

    assert read(ask) == [1, 2, 3, 4, 5, 6, 7]


def test_a_list_that_contradicts_itself_is_waited_for() -> None:
    """Its servers may disagree for a while: three pauses, sixteen seconds in all."""
    slept: list[float] = []
    ask, _ = scripted(answer([1, 2], total=3))

    with pytest.raises(ListIncomplete):
        ListReader[str](ask, str, LIST, slept.append).read()

    assert slept == [1, 4, 11]


def test_a_page_that_leads_to_itself_is_the_last() -> None:
    """Some APIs end their links so."""
    ask, _ = scripted(*[answer([1], next_page="?c=1"), answer([2], next_page="?c=1")] * 2)

    assert read(ask) == [1, 2]


@pytest.mark.parametrize("path", [f"{LIST}/", "/dealers/1/sites", "/internal/v2/dealers/1/sites"])
def test_a_link_may_have_the_path_of_a_server_behind_a_gateway(path: str) -> None:
    """Its query counts; the request goes to our own path."""
    ask, asked = scripted(*[answer([1], next_page=f"{path}?c=1"), answer([2])] * 2)

    assert read(ask) == [1, 2]
    assert asked == [{}, "c=1"] * 2


def test_the_first_page_asked_for_once_more_does_not_say_that_the_list_goes_on() -> None:
    """As a page it says so; the last page does not."""

    def ask(query: Query) -> Answer:
        page = number(query, "page", 1)
        if page > 2:
            raise NotFound("no such page")
        return answer([page * 2 - 1, page * 2], goes_on=page == 1)

    assert read(ask) == [1, 2, 3, 4]


def test_pages_that_leave_out_what_shows_unasked_are_an_error() -> None:
    """Pages that count from -1, shorter than the list unasked: neither page 1 nor page 0 is the first."""
    items = [1, 2, 3, 4, 5, 6, 7]

    def ask(query: Query) -> Answer:
        return answer(items[:6]) if "page" not in query else answer(items[(int(query["page"]) + 1) * 2 :][:2])  # type: ignore[index]

    assert refused(ask) == "what CHeKT lists is not whole: its pages leave out what it shows without them"


def test_a_second_page_without_a_first_is_an_error() -> None:
    """Page 1 asked for by name is the first page, wherever the count begins."""
    nothing = [answer([])] * 2  # which is asked for twice
    once = [answer([1, 2]), *nothing, answer([3]), *nothing]
    ask, asked = scripted(*once * 4)

    assert refused(ask) == "what CHeKT lists is not whole: page 2 has items, and page 1 has none"
    assert asked == [{}, {"offset": "1"}, {"offset": "1"}, {"page": "2"}, {"page": "1"}, {"page": "1"}] * 4


def test_a_list_that_says_it_goes_on_and_not_how_is_an_error() -> None:
    """There is a header for that, but its value is of no known use."""
    ask, _ = scripted(answer([1, 2], goes_on=True))

    assert refused(ask) == "what CHeKT lists is not whole: it says that it goes on, and does not say how"


def test_a_list_whose_last_page_does_not_say_that_it_goes_on_is_whole() -> None:
    """The last answer counts."""
    ask, _ = scripted(answer([1, 2], goes_on=True), answer([2, 3], goes_on=True), answer([3]))

    assert read(ask) == [1, 2, 3]


# links


@pytest.mark.parametrize(
    "link", ["/partner/v1/dealers/2/sites?c=1", "/?c=1", LIST, f"{LIST}?", f"{LIST}/2?c=1", "", "?"]
)
def test_a_link_elsewhere_is_not_followed(link: str) -> None:
    """Nor is one that gives only the list's own path: what it shows is not this list."""
    ask, asked = scripted(answer([1], next_page=link), answer([2]))

    assert refused(ask) == "a list goes on at another path"
    assert asked == [{}]


def test_a_link_may_leave_out_the_path() -> None:
    """Its query is enough."""
    ask, asked = scripted(*[answer([1], next_page="?c=a%20b"), answer([2])] * 2)

    assert read(ask) == [1, 2]
    assert asked == [{}, "c=a%20b"] * 2


def test_links_in_a_circle_are_an_error() -> None:
    """Once around is enough; it is not read again."""
    ask, asked = scripted(*[answer([1], next_page="?c=1"), answer([2], next_page="?c=2")] * 2)

    assert refused(ask) == "a list goes in a circle"
    assert asked == [{}, "c=1", "c=2"]


def test_a_first_page_that_comes_again_under_its_own_link_is_a_circle() -> None:
    """A page that leads to itself is the last one only if it brought something new."""
    ask, asked = scripted(*[answer([1], next_page="?c=1")] * 4)

    assert refused(ask) == "a list goes in a circle"
    assert asked == [{}, "c=1"]


def test_pages_by_link_may_overlap() -> None:
    """CHeKT itself says where the next one begins."""
    ask, _ = scripted(*[answer([1, 2], next_page="?c=1"), answer([2, 3], next_page="?c=2"), answer([2, 3])] * 2)

    assert read(ask) == [1, 2, 3]


# lists without end


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test can reach."""
    assert (MOST_REQUESTS, MOST_ITEMS, MOST_BYTES) == (1000, 100_000, 256 * 1024 * 1024)
    monkeypatch.setattr("chekt_provider.api.lists.MOST_REQUESTS", 10)
    monkeypatch.setattr("chekt_provider.api.lists.MOST_ITEMS", 20)
    monkeypatch.setattr("chekt_provider.api.lists.MOST_BYTES", 3 * 1024 * 1024)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("way", ["offset", "page 1", "page 0", "links"])
def test_a_list_ends_after_so_many_requests(way: str) -> None:
    """It fails at once: another try would end the same way."""
    api = Listed(way, 20, size=1)

    assert refused(api) == "a list did not end after 10 pages"
    assert len(api.asked) == 11


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("way", WAYS)
def test_a_list_ends_after_so_many_items(way: str) -> None:
    """It stops at the page that has one too many."""
    assert refused(Listed(way, 21, size=7)) == "a list has more than 20 items"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("way", ["whole", "offset", "page 1", "page 0", "links"])
def test_a_list_of_just_so_many_items_is_read(way: str) -> None:
    """What CHeKT shows again because it takes no pages, or at page 1, does not count as more."""
    assert len(read(Listed(way, 20, size=7))) == 20


@pytest.mark.usefixtures("small")
def test_a_list_ends_after_so_many_bytes() -> None:
    """The limit is for all its pages together."""
    half, third = [answer([n], size=1536 * 1024) for n in (1, 2)], answer([3], size=1)
    whole, _ = scripted(*[*half, answer([]), answer([])] * 2)
    longer, asked = scripted(*half, third)

    assert read(whole) == [1, 2]
    assert refused(longer) == "a list has more than 3 MiB"
    assert len(asked) == 3


@pytest.mark.usefixtures("small")
def test_each_reading_counts_for_itself() -> None:
    """Reading a list again does not make it longer."""
    overlapping = [answer([5, 4], size=1024 * 1024), answer([3, 2], size=1024 * 1024)]
    ask, asked = scripted(*overlapping * 2, answer(range(20), total=20, size=3 * 1024 * 1024))
    reading = reader(ask)

    assert len(reading.read()) == 20
    assert len(asked) == 5
    assert reading.requests == 5


# in general


@given(
    st.sampled_from([*WAYS, "skip"]),
    st.integers(0, 40),
    st.integers(1, 9),
    st.booleans(),
    st.sampled_from([None, InvalidInput, NotFound]),
    st.data(),
)
def test_a_list_of_which_an_answer_is_lost_is_whole_or_an_error(
    way: str, count: int, size: int, told: bool, beyond: type[ChektError] | None, data: st.DataObject
) -> None:
    """One answer is empty although there is more: if a total is told, nothing is missing."""
    api = Listed(way, count, size=size, told=told or way == "skip", unknown=beyond)
    struck = data.draw(st.integers(0, 8))

    def ask(query: Query) -> Answer:
        whole = api(query)
        lost = len(api.asked) == struck + 1
        return Answer([] if lost else whole.data, Evidence(), extent=whole.extent)

    try:
        items = read(ask)
    except ListIncomplete:
        return
    assert len(set(items)) == len(items)
    if told or way == "skip" or struck == 0:
        assert sorted(items) == api.items
