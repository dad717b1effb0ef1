"""Reading a list to its end. CHeKT does not say whether a list comes in pages, nor how to ask for the next one.

A list is whole when that is shown: it ended by its own links, or with as many items as it says it has, or a question
for what comes after its end, in one way of paging at a time, brought nothing or the same again. One that says that it
is a part, or has more pages, is not whole before they have come. A list that comes empty is asked for twice. Pages are
read until two readings agree, but where the last item of each is asked for again with the next: between two pages
somebody may delete one item and make another. Whatever contradicts itself is read anew, and refused the third time.

What cannot be seen: a list that is cut short, says nothing of it, and takes none of the ways that are tried without a
word of it: pages by page or by offset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from chekt_provider.api.answers import Answer
from chekt_provider.errors import InvalidInput, ListIncomplete, NotFound

MOST_REQUESTS, MOST_ITEMS, MOST_BYTES = 1000, 100_000, 256 * 1024**2
"""Where reading stops, in case a list never ends."""

PAUSES = (1, 4, 11)
"""Seconds before a list that contradicts itself is read anew: as long as its servers may be apart."""

_FIRST_PAGES: tuple[Mapping[str, str], ...] = ({}, {"page": "0"}, {"page": "1"})

Item = TypeVar("Item")


class ListReader(Generic[Item]):
    """Reads one list.

    Args:
        ask: gets the list with a query, as parameters, or as the text that the list gave. Its `data` are the items.
        number: an item's id.
        path: the list's own, which its links must stay on.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        ask: Callable[[Mapping[str, str] | str], Answer],
        number: Callable[[Item], str],
        path: str,
        sleep: Callable[[float], None],
    ) -> None:
        self._ask = ask
        self._number = number
        self._path = path
        self._sleep = sleep
        self._items: dict[str, Item] = {}
        self._bytes = 0
        self._total: int | None = None
        self._least = 0
        """How many items there are at least, by what the list says of its pages."""
        self._goes_on = False
        self._pages = 0
        self._may_have_slipped = False
        """Whether an item may have moved to a page that was read, when somebody deleted another."""
        self.requests = 0
        """How many requests it took."""

    def read(self) -> tuple[Item, ...]:
        """Give the whole list.

        Raises:
            ListIncomplete: it cannot be shown to be whole.
            ChektError: as `ask`.
        """
        pauses = iter(PAUSES)
        seen: set[str] | None = None
        while True:
            try:
                self._read_once()
            except _Contradiction as contradiction:
                why, seen = str(contradiction), None
            else:
                if not self._may_have_slipped or self._items.keys() == seen:
                    return tuple(self._items.values())
                first, seen = seen is None, set(self._items)
                if first:
                    continue
                why = "its pages show other items each time that they are read"
            pause = next(pauses, None)
            if pause is None:
                raise ListIncomplete(f"what CHeKT lists is not whole: {why}")
            self._sleep(pause)

    def _read_once(self) -> None:
        self._items, self._total, self._least, self._goes_on, self._pages, self._bytes = {}, None, 0, False, 0, 0
        self._may_have_slipped = False
        answer = self._get({})
        if not answer.data and answer.extent.next_page is None:  # a list that went wrong looks the same
            answer = self._get({})
        self._add(answer)
        if answer.extent.next_page is not None:
            self._follow(answer)
        elif self._items and not self._has_all():
            self._ask_for_more()
        if self._total is not None and len(self._items) != self._total:
            raise _Contradiction(f"it says that there are {self._total:,}, and shows {len(self._items):,}")
        if self._is_short():
            raise _Contradiction(f"it says that there are at least {self._least:,}, and shows {len(self._items):,}")
        if self._goes_on and not self._has_all():
            raise _Contradiction("it says that it goes on, and does not say how")

    def _ask_for_more(self) -> None:
        """Try the usual ways of paging, one after the other, until one brings more."""
        if self._count_on("offset") or self._turn_pages():
            return
        if self._is_short():
            self._count_on("skip")

    def _has_all(self) -> bool:
        return self._total is not None and not self._is_short()

    def _is_short(self) -> bool:
        """Whether the list says that it has more items."""
        return len(self._items) < max(self._total or 0, self._least)

    def _follow(self, answer: Answer) -> None:
        """Follow each page's link to the next, up to the page that has none."""
        self._may_have_slipped = True
        followed: set[str] = set()
        asked, known = "", 0
        while answer.extent.next_page is not None:
            path, _, query = answer.extent.next_page.partition("?")
            if not self._is_own(path) or not query:
                raise ListIncomplete("a list goes on at another path")
            if query in followed:
                if query == asked and len(self._items) > known:
                    return  # the last page leads to itself
                raise ListIncomplete("a list goes in a circle")
            followed.add(query)
            asked, known = query, len(self._items)
            answer = self._get(query)
            self._merge(answer, self._of(answer))

    def _is_own(self, path: str) -> bool:
        """Whether a link stays on the list; behind a gateway the server may know another path to it."""
        own = self._path.partition("/dealers/")[2]
        return path == "" or path.rstrip("/").endswith(f"/dealers/{own}")

    def _count_on(self, parameter: str) -> bool:
        """Ask for what begins with the last known item, until nothing else comes. Whether CHeKT takes this way.

        The last item comes again, to show that none slipped through when somebody deleted another; but where a page may
        hold one item only, the question is for what follows it.
        """
        taken, ended, size = False, False, len(self._items)
        again = 1 if size > 1 else 0
        while not self._has_all():
            known = list(self._items)
            answer = self._beyond({parameter: str(len(known) - again)}, taken and not ended)
            came = list(self._of(answer)) if answer is not None else []
            if not taken and set(came) >= set(known):
                self._add(answer)
                return False  # the whole list again: CHeKT takes no such parameter
            if answer is None and not (taken and again):
                return taken
            overlap = [item_id for item_id in came if item_id in self._items]
            follows = came[: len(overlap)] == known[len(known) - len(overlap) :]
            if not follows or len(overlap) < again or (len(overlap) == len(came) >= size):
                raise _Contradiction("what comes after its last item does not follow it")
            taken = True
            self._may_have_slipped = size == 1
            if answer is None:
                break
            self._merge(answer, self._of(answer))
            if len(overlap) == len(came):  # nothing follows, or one item comes at a time
                if again == 0:
                    break
                ended, again = True, 0
        return taken

    def _turn_pages(self) -> bool:
        """Ask for page after page by number, until nothing comes. Whether CHeKT takes this way.

        The first page may be 0 or 1. Pages may have another length than what came unasked, but must hold that.
        """
        unasked = self._items
        second = self._beyond({"page": "2"}, taken=False)
        if second is not None and self._of(second).keys() >= unasked.keys():
            return self._add(second)  # the same again: CHeKT takes no pages
        self._items = {}
        first = self._beyond({"page": "1"}, taken=second is not None)
        if second is not None and first is None:
            raise _Contradiction("page 2 has items, and page 1 has none")
        if first is None or next(iter(unasked)) not in self._of(first):
            self._add(self._beyond({"page": "0"}, taken=False))
        pages = bool(self._items) + self._add(first) + self._add(second)
        page = 3
        while second is not None and not self._has_all() and self._add(self._beyond({"page": str(page)}, taken=True)):
            page += 1
        if not self._items:
            self._items = unasked
            return False
        if not unasked.keys() <= self._items.keys():
            raise _Contradiction("its pages leave out what it shows without them")
        self._may_have_slipped = pages > 1
        return True

    def _beyond(self, query: Mapping[str, str], taken: bool) -> Answer | None:
        """Ask, twice if need be, for what comes after the end; None for nothing, or where CHeKT refuses this way."""
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
        """Add the items of an answer; whether they are the next page."""
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
        require_bounded(len(self._items), self._bytes)

    def _of(self, answer: Answer) -> dict[str, Item]:
        return {self._number(item): item for item in answer.data}

    def _get(self, query: Mapping[str, str] | str) -> Answer:
        answer = self._ask(query)
        self.requests += 1
        self._pages += 1
        extent = answer.extent
        if extent.total is not None:
            if self._total not in (None, extent.total):
                raise _Contradiction("it says another total on another page")
            self._total = extent.total
        if pages_before := max((extent.pages or 1) - 1, int(extent.is_part and not query)):  # the last, each as long
            self._least = max(self._least, pages_before * len(answer.data) + 1)
        if self._pages == 1 or query not in _FIRST_PAGES:  # asked for once more, those say nothing of the end
            self._goes_on = extent.goes_on
        if self._pages > MOST_REQUESTS:
            raise ListIncomplete(f"a list did not end after {MOST_REQUESTS:,} pages")
        return answer


class _Contradiction(Exception):
    """A list contradicts itself."""


def require_bounded(items: int, size: int) -> None:
    """Raise ListIncomplete for a list with too many items or bytes."""
    if items > MOST_ITEMS:
        raise ListIncomplete(f"a list has more than {MOST_ITEMS:,} items")
    if size > MOST_BYTES:
        raise ListIncomplete(f"a list has more than {MOST_BYTES // 1024**2} MiB")
