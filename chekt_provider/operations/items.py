"""Listed items, found by what they say at a cost that hardly grows with their number."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import accumulate
from typing import Any, Generic, TypeVar

from chekt_provider.api.client import Item

Value = TypeVar("Value", bound=Hashable)

MOST_CHANGES = 256
"""After so many changes what is listed and what has changed are put together anew."""


class _Base(Generic[Item]):
    """Items by id that nobody changes, and what was asked of them so far."""

    def __init__(self, items: Mapping[str, Item]) -> None:
        self.items = items
        self._groups: dict[object, dict[Any, list[str]]] = {}
        self._texts: dict[object, tuple[str, list[int], list[str]]] = {}

    def group(self, key: Callable[[Item], Value]) -> Mapping[Value, list[str]]:
        """The ids by what a function says of the items."""
        if key not in self._groups:
            group: defaultdict[Value, list[str]] = defaultdict(list)
            for item_id, item in self.items.items():
                group[key(item)].append(item_id)
            self._groups[key] = dict(group)
        return self._groups[key]

    def holding(self, key: Callable[[Item], str], part: str) -> Iterator[str]:
        """The ids of items of which a function gives a text that holds another."""
        if key not in self._texts:
            texts = [key(item) for item in self.items.values()]
            starts = [0, *accumulate(len(text) + 1 for text in texts)][: len(texts)]
            self._texts[key] = ("\n".join(texts), starts, list(self.items))
        text, starts, ids = self._texts[key]
        position = text.find(part)
        while position >= 0:
            place = bisect_right(starts, position) - 1
            yield ids[place]
            position = text.find(part, starts[place + 1]) if place + 1 < len(starts) else -1


class Items(Mapping[str, Item]):
    """Items by id. A change gives others, and leaves these as they are for who is reading them."""

    def __init__(self, items: Mapping[str, Item]) -> None:
        self._base = _Base(items)
        self._changes: Mapping[str, Item | None] = {}

    def changed(self, item_id: str, item: Item | None) -> Items[Item]:
        """These with another item under an id, or with none."""
        changes = {**self._changes, item_id: item}
        if len(changes) <= MOST_CHANGES:
            others = Items.__new__(Items)
            others._base, others._changes = self._base, changes
            return others
        whole = {**self._base.items, **changes}
        return Items({number: item for number, item in whole.items() if item is not None})

    def where(self, key: Callable[[Item], Hashable], value: Hashable) -> list[Item]:
        """The items of which a function says a value. It is called once for each item: pass the same one each time."""
        listed = self._base.group(key).get(value, ())
        found = [self._base.items[item_id] for item_id in listed if item_id not in self._changes]
        return found + [item for item in self._changes.values() if item is not None and key(item) == value]

    def said(self, key: Callable[[Item], Value]) -> set[Value]:
        """What a function says of the items; also of some that are no longer among them."""
        changed = {key(item) for item in self._changes.values() if item is not None}
        return {*self._base.group(key)} | changed

    def holding(self, key: Callable[[Item], str], part: str) -> list[Item]:
        """The items of which a function gives a text that holds another, which has no line break."""
        listed = self._base.holding(key, part)
        found = [self._base.items[item_id] for item_id in listed if item_id not in self._changes]
        return found + [item for item in self._changes.values() if item is not None and part in key(item)]

    def __getitem__(self, item_id: str) -> Item:
        item = self._changes[item_id] if item_id in self._changes else self._base.items[item_id]
        if item is None:
            raise KeyError(item_id)
        return item

    def __iter__(self) -> Iterator[str]:
        yield from (item_id for item_id in self._base.items if item_id not in self._changes)
        yield from (item_id for item_id, item in self._changes.items() if item is not None)

    def __len__(self) -> int:
        gone = sum(item_id in self._base.items for item_id in self._changes)
        return len(self._base.items) - gone + sum(item is not None for item in self._changes.values())
