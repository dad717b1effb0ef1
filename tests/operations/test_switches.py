"""Every answer to CHeKT's open questions, any two of them together, through the provider's operations."""

from __future__ import annotations

import itertools
import random
from typing import Any, get_args

import pytest

from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Switches
from chekt_provider.errors import ChektError, SitesAttached, StationExists
from chekt_provider.model.fields import AssignmentInputs
from chekt_provider.plugin.run import Run
from chekt_provider.provider import MonitoringStationProvider
from chekt_provider.settings import read_settings
from tests.clock import Clock
from tests.helpers import held

UNSEEN = {"lists": "skip", "list_total": "untold"}
"""A list that comes in pages and says nothing of it: nobody can see what is on the others."""

TRIED: dict[str, tuple[Any, ...]] = {
    **{name: get_args(field.annotation) for name, field in Switches.model_fields.items() if get_args(field.annotation)},
    "list_lag": (0, 2, 14),
    "item_lag": (0, 2),
    "database_clock": (0, -3, 3),
    "site_put_delay": (0, 1.5),
    "page_size": (2,),
    "cut_at": (10,),
    "delete_delay": (2,),
}
"""The values of every switch that are tried."""


def pairs(seed: int = 7) -> list[dict[str, Any]]:
    """Rows in which any two values of any two switches meet; all combinations would be millions."""
    draw = random.Random(seed)  # noqa: S311 - the same rows for everybody
    names = sorted(TRIED)
    wanted = ALL_PAIRS - _met(UNSEEN)
    rows = []
    while wanted:
        row = dict(draw.choice(sorted(wanted, key=str)))
        for name in draw.sample(names, len(names)):
            if name not in row:
                seen = [value for value in TRIED[name] if not {**row, name: value}.items() >= UNSEEN.items()]
                row[name] = max(seen, key=lambda value: len(_met({**row, name: value}) & wanted))
        wanted -= _met(row)
        rows.append(row)
    return rows


def _met(row: dict[str, Any]) -> set[Any]:
    return set(itertools.combinations(sorted(row.items()), 2))


ALL_PAIRS = {
    ((one, a), (other, b))
    for one, other in itertools.combinations(sorted(TRIED), 2)
    for a, b in itertools.product(TRIED[one], TRIED[other])
}
ROWS = pairs()
WHILE = 20.0
"""Seconds until CHeKT shows what was written, under every row."""

GROUPS = [ROWS[start : start + 8] for start in range(0, len(ROWS), 8)]
"""A test takes several rows on one emulator: to start one costs more than to run through a life."""


def test_every_switch_is_tried() -> None:
    """A new switch must be tried too; any two values meet in a row, except those that nobody can see."""
    assert set(Switches.model_fields) == set(TRIED)
    assert ALL_PAIRS - set().union(*(_met(row) for row in ROWS)) == {(("list_total", "untold"), ("lists", "skip"))}


@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_a_station_lives_the_same_life_under_any_two_answers(group: int) -> None:
    """Create, no change, edit, clear, drift, duplicate, sites, delete: never a second station, never a false change."""
    clock = Clock(now=1_700_000_000.0)
    with Emulator(clock=clock, plan=None) as emulator:
        for switches in GROUPS[group]:
            emulator.reset()
            emulator.switches = Switches(**switches)
            for n in range(3):  # others of the dealer, so that a paged list has a second page
                emulator.add_station(external_monitoring_station_id=f"other-{n}", name=f"Other {n}")
            clock.now += 60
            try:
                _live(emulator, clock)
            except (AssertionError, ChektError) as error:
                error.add_note(f"switches: {switches}")
                raise


class _Stack:
    """What Pulumi does around the operations of one resource: check, diff, and the state between two runs."""

    def __init__(self, emulator: Emulator, clock: Clock) -> None:
        self._emulator = emulator
        self._clock = clock
        self.id, self.state = "", dict[str, Any]()

    def _run(self) -> MonitoringStationProvider:
        provider = MonitoringStationProvider()
        settings = read_settings(lambda key: None, self._emulator.environment())
        transport = Transport(settings, say=lambda _: None, clock=self._clock, sleep=self._clock.sleep)
        provider._run = Run(settings, transport, lambda _: None)
        return provider

    def up(self, **inputs: Any) -> str:
        """One run: "create", "update" or "same"."""
        provider = self._run()
        checked = provider.check({}, {"__provider": "x", **inputs})
        assert checked.failures == []
        if not self.id:
            created = provider.create(checked.inputs)
            self.id, self.state = created.id, {"__provider": "x", **(created.outs or {})}
            return "create"
        difference = provider.diff(self.id, self.state, checked.inputs)
        assert not difference.replaces
        if not difference.changes:
            return "same"
        updated = provider.update(self.id, self.state, checked.inputs)
        self.state = {"__provider": "x", **(updated.outs or {})}
        return "update"

    def refresh(self) -> bool:
        """Whether a refresh finds the state as it was, once CHeKT shows all that was written."""
        self._clock.now += WHILE
        read = self._run().read(self.id, self.state)
        before = self.state
        self.id, self.state = read.id or "", {"__provider": "x", **(read.outs or {})}
        return self.state == before

    def destroy(self) -> None:
        self._run().delete(self.id, self.state)

    def move(self, site: int, station: int) -> None:
        """Put a site on another station."""
        wanted = {"dealer_id": "12345", "site_id": str(site), "monitoring_station_id": str(station)}
        self._run()._run.assignments.create(AssignmentInputs.model_validate(wanted))


def _live(emulator: Emulator, clock: Clock) -> None:
    stack = _Stack(emulator, clock)
    full = {"external_monitoring_station_id": "central-01", "name": "Central", "prefix": "CH", "linecard": "7"}
    bare = {"external_monitoring_station_id": "central-01", "name": "Central"}

    def station() -> list[str]:
        """What CHeKT holds of the last station; it may keep only capitals."""
        return [str(value).casefold() for value in held(emulator)[-1]]

    assert stack.up(**bare) == "create"
    assert stack.up(**bare) == "same"
    assert stack.refresh()
    assert stack.up(**bare, prefix=None, linecard="") == "same"
    assert station() == ["4", "central-01", "central", "", ""]

    assert stack.up(**full) == "update"
    assert station() == ["4", "central-01", "central", "ch", "7"]
    assert stack.up(**full) == "same"

    assert stack.up(**bare, linecard="7") == "update"
    assert station() == ["4", "central-01", "central", "", "7"]
    assert stack.refresh()
    assert stack.up(**bare, linecard="7") == "same"

    emulator.edit_station(4, name="Drifted", linecard="")
    assert not stack.refresh()
    assert stack.up(**bare, linecard="7") == "update"
    assert station() == ["4", "central-01", "central", "", "7"]

    with pytest.raises(StationExists):
        _Stack(emulator, clock).up(**full)
    adopter = _Stack(emulator, clock)
    assert adopter.up(**full, adopt_existing=True) == "create"
    assert adopter.id == "12345/4"
    assert adopter.up(**full) == "same"
    assert station() == ["4", "central-01", "central", "ch", "7"]

    site = emulator.add_site(external_site_id="house-1", name="House", account_number="1", monitoring_station_id=4)
    clock.now += WHILE
    with pytest.raises(SitesAttached):
        adopter.destroy()
    before = _own(emulator)
    adopter.move(site, 1)
    assert _own(emulator) == before

    emulator.remove_station(4)
    assert not adopter.refresh()
    assert adopter.id == ""
    assert adopter.up(**full) == "create"
    adopter.destroy()
    assert [one[1] for one in held(emulator)] == ["other-0", "other-1", "other-2"]
    assert emulator.sites()[0]["monitoring_station_id"] == 1


def _own(emulator: Emulator) -> dict[str, Any]:
    """A site without its station."""
    return {name: value for name, value in emulator.sites()[0].items() if "monitoring_station" not in name}
