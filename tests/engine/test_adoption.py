"""Existing stations come under management only on request, and a preview shows it first."""

from __future__ import annotations

import pytest

from chekt_provider.emulator import Emulator
from tests.engine.conftest import Stack
from tests.helpers import EXISTS_REMEDY, anonymous, calls, held

FOUR = """
    for name in ("equal", "different", "twins", "none"):
        MonitoringStation(name, external_monitoring_station_id=name, name="Wanted", prefix="P", adopt_existing=True)
"""

TOLD = [
    "chekt: Adopting monitoring station 'equal' (12345/1): nothing changes on it.",
    "chekt: Adopting monitoring station 'different' (12345/2): changing name from 'Theirs' to 'Wanted', prefix from '' "
    "to 'P'.",
    "chekt: 2 stations have the external id 'twins': 12345/3, 12345/4. Delete all but one of them in CHeKT's portal.",
]


def told(text: str) -> list[str]:
    """The provider's sentences in what Pulumi printed, each once."""
    return sorted({line.strip() for line in text.splitlines() if line.strip().startswith("chekt: ")})


@pytest.fixture
def _theirs(emulator: Emulator) -> None:
    emulator.add_station(external_monitoring_station_id="equal", name="Wanted", prefix="P")
    emulator.add_station(external_monitoring_station_id="different", name="Theirs")
    emulator.add_station(external_monitoring_station_id="twins", name="One")
    emulator.add_station(external_monitoring_station_id="twins", name="Two")


@pytest.mark.acceptance("adopt: equal, different, two matches, none")
@pytest.mark.usefixtures("_theirs")
def test_an_equal_a_different_a_doubled_and_a_missing_station(emulator: Emulator, stack: Stack) -> None:
    """The preview tells what would be adopted and changed; the run writes that and no more; twins are refused."""
    stack.program(FOUR)

    assert told(stack.pulumi("preview").text) == sorted(TOLD)
    assert all(call.startswith("GET") for call in calls(emulator))

    emulator.clear_requests()
    run = stack.up("--continue-on-error", status=1)
    assert told(run.text) == sorted(TOLD)
    assert [anonymous(line) for line in run.errors] == [
        "error: Could not create monitoring station 'twins' of dealer 12345: 2 stations have this external id already: "
        "12345/3, 12345/4. Nothing was changed. Delete all but one of them in CHeKT's portal, then run again. "
        "(trace id T)"
    ]
    assert sorted(call for call in calls(emulator) if not call.startswith("GET")) == [
        "POST /monitoring-stations",
        "PUT /monitoring-stations/2",
    ]
    assert held(emulator)[:2] == [(1, "equal", "Wanted", "P", ""), (2, "different", "Wanted", "P", "")]
    assert {name: s["id"] for name, s in stack.stations().items()} == {
        "equal": "12345/1",
        "different": "12345/2",
        "none": "12345/5",
    }

    emulator.remove_station(4)
    stack.up()
    stack.up_changes_nothing()
    stack.pulumi("preview", "--refresh", "--expect-no-changes")


@pytest.mark.usefixtures("_theirs")
def test_adoption_for_a_whole_stack(emulator: Emulator, stack: Stack) -> None:
    """chekt:adoptExisting asks for it; without it, the error has the line to paste."""
    stack.program('MonitoringStation("equal", external_monitoring_station_id="equal", name="Wanted", prefix="P")')

    assert [anonymous(line) for line in stack.up(status=1).errors] == [
        "error: Could not create monitoring station 'equal' of dealer 12345: it exists already as 12345/1, with name "
        "'Wanted', prefix 'P', linecard ''. Nothing was changed. "
        f"{EXISTS_REMEDY} (trace id T)"
    ]

    stack.pulumi("config", "set", "chekt:adoptExisting", "true")
    assert told(stack.up().text) == [TOLD[0]]
    assert {call.split()[0] for call in calls(emulator)} == {"GET"}


def test_a_station_that_another_resource_owns_is_not_adopted(emulator: Emulator, stack: Stack) -> None:
    """This holds in any order in the program, and in every run; taking the second out leaves the station alone.

    Pulumi asks about either of the two first: the second may adopt before anybody has heard of the first.
    """
    station = 'MonitoringStation("{}", external_monitoring_station_id=pulumi.Output.from_input("central-01"), {})\n'
    first = station.format("first", 'name="First"')
    second = station.format("second", 'name="First", adopt_existing=True')
    stack.program(first)
    stack.up()

    for program in (first + second, second + first):
        stack.program(program)
        (line,) = stack.up("--continue-on-error", status=1).errors
        assert ": another resource of this program has the same external id. Nothing was changed. " in line
        assert "Give each resource its own external_monitoring_station_id." in line

    stack.program(first)
    stack.up()
    assert held(emulator) == [(1, "central-01", "First", "", "")]
    stack.up_changes_nothing()


def test_an_external_id_that_is_declared_twice_fails_in_the_preview(emulator: Emulator, stack: Stack) -> None:
    """The error names both resources; the same id at another dealer, or by another provider, is another station."""
    stack.program(
        """
        from chekt_provider import Provider
        other = Provider("other", dealer_id=77)
        MonitoringStation("a", external_monitoring_station_id="central-01", name="A")
        MonitoringStation("b", external_monitoring_station_id="central-01", name="B", dealer_id=77)
        MonitoringStation("c", external_monitoring_station_id="central-01", name="C", dealer_id="78")
        MonitoringStation(
            "d", external_monitoring_station_id="central-01", name="D", opts=pulumi.ResourceOptions(provider=other)
        )
        MonitoringStation("e", external_monitoring_station_id="central-01", name="E", dealer_id="77")
        """
    )

    assert stack.pulumi("preview", status=1).errors == [
        "error: Could not declare 'e': another resource of this program has the same external id 'central-01': 'b'. "
        "Give each resource its own external_monitoring_station_id."
    ]
    assert emulator.requests == []


@pytest.mark.parametrize("refresh", [[], ["--refresh"]])
def test_renaming_a_resource_with_adoption_keeps_its_station(
    emulator: Emulator, stack: Stack, refresh: list[str]
) -> None:
    """The new resource takes the station over; the deletion of the old one leaves it alone, and says so."""
    stack.program('MonitoringStation("old", external_monitoring_station_id="central-01", name="Central")')
    stack.up()
    emulator.clear_requests()

    stack.program(
        'MonitoringStation("new", external_monitoring_station_id="central-01", name="Central", adopt_existing=True)'
    )
    assert told(stack.up(*refresh).text) == [
        "chekt: Adopting monitoring station 'central-01' (12345/1): nothing changes on it.",
        "chekt: Keeping monitoring station 'central-01' (12345/1): another resource of this program has it.",
    ]

    assert {call.split()[0] for call in calls(emulator)} == {"GET"}
    assert {name: s["id"] for name, s in stack.stations().items()} == {"new": "12345/1"}
    stack.up_changes_nothing()
