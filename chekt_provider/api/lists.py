"""Reading a list to its end. CHeKT does not say whether a list comes in pages, nor how to ask for the next one.

A list is whole when that is shown: it ended by its own links, or with as many items as it says it has, or a question
for what comes after its end, in one way of paging at a time, brought nothing or the same again. A list that comes empty
is asked for twice. Whatever contradicts itself is read anew, and refused the third time.

What cannot be seen: a list that is cut short, says nothing of it, and takes none of the ways that are tried here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from chekt_provider.api.answers import Answer
from chekt_provider.errors import InvalidInput, ListIncomplete, NotFound

MOST_REQUESTS, MOST_ITEMS, MOST_BYTES = 1000, 100_000, 256 * 1024**2
"""Where reading a list ends, should the list never do."""

READINGS = 3
"""How often a list that contradicts itself is read."""

Item = TypeVar("Item")


class ListReader(Generic[Item]):
    """Reads one list.

    Args:
        ask: gets the list with a query: parameters, or the text of one that the list itself gave. The answer's `data`
            are the items.
        number: an item's id.
        path: the list's own, which its links must stay on.
    """

    def __init__(
        self, ask: Callable[[Mapping[str, str] | str], Answer], number: Callable[[Item], str], path: str
    ) -> None:
        self._ask = ask
        self._number = number
        self._path = path
        self._items: dict[str, Item] = {}
        self._bytes = 0
        self._total: int | None = None
        self._goes_on = False
        self.first: Answer | None = None
        """The first answer of the reading that counts."""
        self.requests = 0
        """How many it took."""

    def read(self) -> tuple[Item, ...]:
        """Give the whole list.

        Raises:
            ListIncomplete: it cannot be shown to be whole.
            ChektError: what asking raises.
        """
        for reading in range(1, READINGS + 1):
            try:
                self._read_once()
                return tuple(self._items.values())
            except _Contradiction as contradiction:
                if reading == READINGS:
                    raise ListIncomplete(f"what CHeKT lists is not whole: {contradiction}") from None
        raise AssertionError

    def _read_once(self) -> None:
        self._items, self._total, self._goes_on, self.requests, self._bytes = {}, None, False, 0, 0
        self.first = answer = self._get({})
        if not answer.data and answer.next_page is None:  # which is also what a list that went wrong looks like
            answer = self._get({})
        self._add(answer)
        if answer.next_page is not None:
            self._follow(answer)
        elif self._items and not self._has_all():
            self._ask_for_more()
        if self._total is not None and len(self._items) != self._total:
            raise _Contradiction(f"it says that there are {self._total:,}, and shows {len(self._items):,}")
        if self._goes_on:
            raise _Contradiction("it says that it goes on, and does not say how")

    def _ask_for_more(self) -> None:
        """Try the usual ways of paging, one after the other, until one brings more."""
        if self._count_on("offset") or self._turn_pages():
            return
        if self._total is not None and not self._has_all():
            self._count_on("skip")

    def _has_all(self) -> bool:
        return self._total is not None and len(self._items) >= self._total

    def _follow(self, answer: Answer) -> None:
        """Follow each page's link to the next, up to the page that has none."""
        followed: set[str] = set()
        while answer.next_page is not None:
            path, _, query = answer.next_page.partition("?")
            if path not in ("", self._path) or not query:
                raise ListIncomplete("a list goes on at another path")
            if query in followed:
                raise ListIncomplete("a list goes in a circle")
            followed.add(query)
            answer = self._get(query)
            self._merge(answer, self._of(answer))

    def _count_on(self, parameter: str) -> bool:
        """Ask for what comes after so many items, until nothing comes. Whether CHeKT takes this way."""
        taken = False
        while not self._has_all() and self._add(self._beyond({parameter: str(len(self._items))}, taken)):
            taken = True
        return taken

    def _turn_pages(self) -> bool:
        """Ask for page after page, until nothing comes. Whether CHeKT takes this way.

        The first page may be 0 or 1: asked for by name, page 1 is the one that came unasked, or the next.
        """
        second = self._beyond({"page": "2"}, taken=False)
        if second is not None and self._of(second).keys() & self._items.keys():
            return self._add(second)  # the same again: CHeKT takes no pages
        taken = self._add(second)
        first = self._beyond({"page": "1"}, taken)
        if self._add(first):
            taken = True
        elif taken and first is None:
            raise _Contradiction("page 2 has items, and page 1 has none")
        page = 3
        while taken and not self._has_all() and self._add(self._beyond({"page": str(page)}, taken)):
            page += 1
        return taken

    def _beyond(self, query: Mapping[str, str], taken: bool) -> Answer | None:
        """Ask for what comes after the end; None where there is nothing, or CHeKT does not know this way.

        What brings nothing is asked for twice, as an empty list is.
        """
        for _ in range(2):
            try:
                answer = self._get(query)
            except InvalidInput:
                if taken:  # it did before
                    raise
                return None
            except NotFound:
                self._get({})  # which fails where it is the dealer that does not exist any more
                continue
            if answer.data:
                return answer
        return None

    def _add(self, answer: Answer | None) -> bool:
        """Take over the items of an answer; whether they are the next page."""
        came = self._of(answer) if answer is not None else {}
        known = came.keys() & self._items.keys()
        if known and len(known) < len(came):
            if len(known) < len(self._items):
                raise _Contradiction("two answers show some of its items each")
            self._items = came  # the whole list again, in which something is new
            return False
        if known or answer is None:
            return False
        self._merge(answer, came)
        return bool(came)

    def _merge(self, answer: Answer, came: dict[str, Item]) -> None:
        self._items |= came
        self._bytes += answer.size
        _require(len(self._items) <= MOST_ITEMS, f"has more than {MOST_ITEMS:,} items")
        _require(self._bytes <= MOST_BYTES, f"has more than {MOST_BYTES // 1024**2} MiB")

    def _of(self, answer: Answer) -> dict[str, Item]:
        return {self._number(item): item for item in answer.data}

    def _get(self, query: Mapping[str, str] | str) -> Answer:
        answer = self._ask(query)
        self.requests += 1
        if answer.total is not None:
            self._total = answer.total
        self._goes_on = answer.goes_on
        _require(self.requests <= MOST_REQUESTS, f"did not end after {MOST_REQUESTS:,} pages")
        return answer


class _Contradiction(Exception):
    """What CHeKT listed contradicts itself."""


def _require(so: bool, otherwise: str) -> None:
    if not so:
        raise ListIncomplete(f"a list {otherwise}")
