"""Every answer to CHeKT's open questions, in every combination, through the provider's own verbs."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest

from chekt_provider.emulator import Emulator, Switches
from chekt_provider.errors import SitesAttached, StationExists
from chekt_provider.provider import MonitoringStationProvider
from tests.helpers import configured, held

NAMES = ("put", "unset", "clear", "duplicate", "idempotency", "delete_with_sites", "lists")
COMBINATIONS = [
    dict(zip(NAMES, values, strict=True))
    for values in itertools.product(*(get_args(Switches.model_fields[name].annotation) for name in NAMES))
]
GROUPS = [COMBINATIONS[start : start + 24] for start in range(0, len(COMBINATIONS), 24)]
"""A test takes several combinations on one emulator: to start one costs more than to run through a life."""


def test_there_are_768_combinations() -> None:
    """2 x 3 x 2 x 4 x 2 x 2 x 4: a switch that is added must be added here as well."""
    assert len(COMBINATIONS) == 768
    assert set(Switches.model_fields) == {*NAMES, "page_size"}


@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_a_station_lives_the_same_life_under_every_combination(emulator: Emulator, group: int) -> None:
    """Create, no change, edit, clear, drift, duplicate, sites, delete: never a second station, never a false change."""
    for switches in GROUPS[group]:
        emulator.reset()
        emulator.switches = Switches(**switches, page_size=2)
        for n in range(3):  # others of the dealer, so that a paged list has a second page
            emulator.add_station(external_monitoring_station_id=f"other-{n}", name=f"Other {n}")
        try:
            _live(emulator)
        except AssertionError as error:
            error.add_note(f"switches: {switches}")
            raise


class _Stack:
    """What Pulumi does around the verbs of one resource: check, diff, and the state between two runs."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.id, self.state = "", dict[str, Any]()

    def _run(self) -> MonitoringStationProvider:
        return configured(self._emulator.environment())

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
        """Whether a refresh finds the state as it was."""
        read = self._run().read(self.id, self.state)
        before = self.state
        self.id, self.state = read.id or "", {"__provider": "x", **(read.outs or {})}
        return self.state == before

    def destroy(self) -> None:
        self._run().delete(self.id, self.state)


def _live(emulator: Emulator) -> None:
    stack = _Stack(emulator)
    full = {"external_monitoring_station_id": "central-01", "name": "Central", "prefix": "CH", "linecard": "7"}
    bare = {"external_monitoring_station_id": "central-01", "name": "Central"}

    def station() -> tuple[int, str, str, str, str]:
        return held(emulator)[-1]

    assert stack.up(**bare) == "create"
    assert stack.up(**bare) == "same"
    assert stack.refresh()
    assert stack.up(**bare, prefix=None, linecard="") == "same"
    assert station() == (4, "central-01", "Central", "", "")

    assert stack.up(**full) == "update"
    assert station() == (4, "central-01", "Central", "CH", "7")
    assert stack.up(**full) == "same"

    assert stack.up(**bare, linecard="7") == "update"
    assert station() == (4, "central-01", "Central", "", "7")
    assert stack.refresh()
    assert stack.up(**bare, linecard="7") == "same"

    emulator.edit_station(4, name="Drifted", linecard="")
    assert not stack.refresh()
    assert stack.up(**bare, linecard="7") == "update"
    assert station() == (4, "central-01", "Central", "", "7")

    with pytest.raises(StationExists):
        _Stack(emulator).up(**full)
    adopter = _Stack(emulator)
    assert adopter.up(**full, adopt_existing=True) == "create"
    assert adopter.id == "12345/4"
    assert adopter.up(**full) == "same"
    assert station() == (4, "central-01", "Central", "CH", "7")

    site = emulator.add_site(external_site_id="house-1", name="House", monitoring_station_id=4)
    with pytest.raises(SitesAttached):
        adopter.destroy()
    emulator.edit_site(site, monitoring_station_id=1)

    emulator.remove_station(4)
    assert not adopter.refresh()
    assert adopter.id == ""
    assert adopter.up(**full) == "create"
    adopter.destroy()
    assert [one[1] for one in held(emulator)] == ["other-0", "other-1", "other-2"]
