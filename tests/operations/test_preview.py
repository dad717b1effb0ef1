"""What a preview tells beside Pulumi's own words: best effort, only if there is something to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pulumi.runtime import rpc

from chekt_provider.emulator import Emulator, Fault
from chekt_provider.errors import DeclaredTwice
from chekt_provider.model.records import Recorded
from chekt_provider.operations.stations import StationOperations
from tests.helpers import COLLECTION, NO_ACCESS, anonymous, calls, central, configured

NewRun = Callable[..., StationOperations]

ADOPTING = (
    "Adopting monitoring station 'central-01' (12345/1): changing name from 'Old' to 'Central', prefix from '' to 'CH'."
)


@pytest.fixture
def _old(emulator: Emulator) -> None:
    emulator.add_station(external_monitoring_station_id="central-01", name="Old", linecard="7")


# adoption


@pytest.mark.usefixtures("_old")
def test_a_preview_says_which_station_would_be_adopted_and_what_would_change(
    emulator: Emulator, stations: StationOperations, said: list[str]
) -> None:
    """It reads the one shared list; nothing is written."""
    for _ in range(3):
        stations.preview_creation(central(adopt_existing=True))

    assert said == [ADOPTING]
    assert calls(emulator) == ["GET /monitoring-stations"] * 3  # the others ask for what comes after its end


@pytest.mark.usefixtures("_old")
def test_what_a_check_said_the_creation_does_not_repeat(stations: StationOperations, said: list[str]) -> None:
    """Pulumi checks again before it creates."""
    stations.preview_creation(central(adopt_existing=True))
    stations.create(central(adopt_existing=True))

    assert said == [ADOPTING]


@pytest.mark.usefixtures("_old")
def test_without_adoption_a_preview_sends_nothing(
    emulator: Emulator, stations: StationOperations, said: list[str]
) -> None:
    """This holds even if the station exists: the creation is then an error that shows it."""
    stations.preview_creation(central())

    assert (said, calls(emulator)) == ([], [])


def test_a_station_that_is_not_there_is_not_adopted(stations: StationOperations, said: list[str]) -> None:
    """It is created, as Pulumi's own preview says."""
    stations.preview_creation(central(adopt_existing=True))

    assert said == []


def test_twins_are_named_in_the_preview(emulator: Emulator, stations: StationOperations, said: list[str]) -> None:
    """Neither of them can be adopted."""
    for name in ("One", "Two"):
        emulator.add_station(external_monitoring_station_id="central-01", name=name)

    stations.preview_creation(central(adopt_existing=True))

    assert said == [
        "2 stations have the external id 'central-01': 12345/1, 12345/2. Delete all but one of them in CHeKT's portal."
    ]


def test_a_look_that_fails_is_said_once_and_fails_no_preview(
    emulator: Emulator, stations: StationOperations, said: list[str]
) -> None:
    """After that the preview asks no more."""
    emulator.add_fault(Fault(method="GET", path=COLLECTION, status=403, times=None))

    for name in ("central-01", "backup-01"):
        stations.preview_creation(central(external_monitoring_station_id=name, adopt_existing=True))

    assert [anonymous(sentence) for sentence in said] == [
        "Could not preview the adoption of monitoring station 'central-01' of dealer 12345: CHeKT refused: forbidden, "
        '"a fault of the emulator". Nothing was changed. '
        f"{NO_ACCESS} (HTTP 403, trace id T, request id R) "
        "The preview goes on without."
    ]
    assert calls(emulator) == ["GET /monitoring-stations"]


def test_a_preview_does_not_wait_for_long(emulator: Emulator, stations: StationOperations, clock: Any) -> None:
    """CHeKT asks to come back in half a minute: the preview does not wait."""
    emulator.add_fault(Fault(method="GET", path=COLLECTION, status=429, headers={"Retry-After": "30"}, times=None))

    stations.preview_creation(central(adopt_existing=True))

    assert clock.slept == []


@pytest.mark.usefixtures("_old")
def test_a_failure_that_passes_leaves_the_preview_whole(
    emulator: Emulator, stations: StationOperations, said: list[str]
) -> None:
    """There is time for another attempt."""
    emulator.add_fault(Fault(method="GET", path=COLLECTION, status=503))

    stations.preview_creation(central(adopt_existing=True))

    assert said == [ADOPTING]


@pytest.mark.parametrize("changes", [{"client_id": ""}, {"problems": ("chekt:baseUrl is not a URL.",)}])
def test_without_credentials_a_preview_sends_nothing(
    emulator: Emulator, new_run: NewRun, said: list[str], changes: dict[str, Any]
) -> None:
    """A pull request from a fork is previewed in silence."""
    new_run(**changes).preview_creation(central(adopt_existing=True))

    assert (said, emulator.requests) == ([], [])


@pytest.mark.usefixtures("_old")
@pytest.mark.parametrize(
    ("olds", "changes", "looks"),
    [
        pytest.param({}, {}, True, id="new"),
        pytest.param({}, {"prefix": rpc.UNKNOWN}, False, id="not known yet"),
        pytest.param({}, {"name": ""}, False, id="refused"),
        pytest.param({"name": "Central"}, {}, False, id="there before"),
    ],
)
def test_only_a_new_resource_with_known_inputs_is_looked_up(
    emulator: Emulator, capfd: pytest.CaptureFixture[str], olds: dict[str, Any], changes: dict[str, Any], looks: bool
) -> None:
    """What Pulumi passes to `check` tells which."""
    inputs = central().model_dump() | {"adopt_existing": True} | changes

    configured(emulator.environment()).check(olds, {"__provider": "x", **inputs})

    assert bool(calls(emulator)) is looks
    assert capfd.readouterr().err == (f"chekt: {ADOPTING}\n" if looks else "")


# replacement


def test_a_preview_of_a_replacement_lists_the_sites_that_hang_on_the_station(
    emulator: Emulator, new_run: NewRun, recorded: Recorded, said: list[str]
) -> None:
    """How many, the first ten by name, how many activated; by the station's id or its external id."""
    for n in range(11):
        site = emulator.add_site(external_site_id=f"h-{n}", name=f"House {n}", monitoring_station_id=1)
        emulator.edit_site(site, is_activated=n % 2)
    emulator.add_site(external_site_id="other", name="Elsewhere")
    stations = new_run()

    for _ in range(3):
        stations.preview_replacement(recorded)

    named = ", ".join(f"'House {n}' ({n + 1})" for n in range(10))
    assert said == [
        "Replacing monitoring station 'central-01' (12345/1): 11 sites send their signals to it (5 activated): "
        f"{named} and 1 more."
    ]
    assert calls(emulator) == ["GET /sites"] * 3  # the others ask for what comes after its end


def test_a_replacement_without_sites_is_not_spoken_of(
    stations: StationOperations, recorded: Recorded, said: list[str]
) -> None:
    """Pulumi's own preview says all there is."""
    stations.preview_replacement(recorded)

    assert said == []


def test_sites_that_cannot_be_read_fail_no_preview(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, said: list[str]
) -> None:
    """The preview says so; the run itself will refuse to delete the station."""
    emulator.add_fault(Fault(method="GET", path="*/sites", status=403))

    stations.preview_replacement(recorded)

    assert [anonymous(sentence) for sentence in said] == [
        "Could not preview the replacement of monitoring station 'central-01' (12345/1): CHeKT refused: forbidden, "
        '"a fault of the emulator". Nothing was changed. '
        f"{NO_ACCESS} (HTTP 403, trace id T, request id R) "
        "The preview goes on without."
    ]


@pytest.mark.parametrize(
    ("changes", "asks"),
    [({"external_monitoring_station_id": "other-01"}, True), ({"name": "New"}, False), ({}, False)],
)
def test_only_a_replacement_asks_for_sites(
    emulator: Emulator, recorded: Recorded, changes: dict[str, str], asks: bool
) -> None:
    """Other differences show without a request."""
    provider = configured(emulator.environment())
    olds = {**recorded.fields, "api_host": "localhost", "__provider": "x"}

    provider.diff("12345/1", olds, {**recorded.fields, **changes, "__provider": "x"})

    assert bool(calls(emulator)) is asks


# one station, two resources


def test_a_station_that_a_resource_of_the_program_goes_on_with_is_not_adopted_by_another(
    emulator: Emulator, stations: StationOperations, recorded: Recorded
) -> None:
    """The second resource fails; nothing is sent for it."""
    stations.keep(recorded, "first")
    stations.keep(recorded, "first")

    with pytest.raises(DeclaredTwice):
        stations.create(central(adopt_existing=True))

    assert calls(emulator) == []


def test_a_station_that_was_adopted_is_not_kept_by_the_resource_that_had_it(
    stations: StationOperations, recorded: Recorded
) -> None:
    """The adopter came first: the other one learns so."""
    stations.create(central(adopt_existing=True))

    with pytest.raises(DeclaredTwice) as caught:
        stations.keep(recorded, "first")

    assert str(caught.value) == (
        "Could not keep monitoring station 'central-01' (12345/1): another resource of this program has the same "
        "external id. Nothing was changed. Give each resource its own external_monitoring_station_id."
    )


def test_two_resources_that_have_one_station_are_told_in_every_run(
    emulator: Emulator, new_run: NewRun, recorded: Recorded
) -> None:
    """The resource's name in the program tells them apart, whatever the state has."""
    adopted = new_run().create(central(adopt_existing=True, declared_by="second"))
    read = new_run().read(adopted.id, adopted)
    renamed = new_run().update(adopted, central(name="New", declared_by="second"))

    assert [record.declared_by for record in (adopted, read, renamed) if record] == ["second"] * 3
    for first, second in (("first", "second"), ("second", "first")):
        run = new_run()
        run.keep(adopted, first)
        with pytest.raises(DeclaredTwice):
            run.keep(adopted, second)


def test_a_refreshed_resource_counts_when_it_is_compared_a_second_time(
    emulator: Emulator, new_run: NewRun, recorded: Recorded
) -> None:
    """Pulumi compares it for the refresh too, even if the program no longer has it: then it may be adopted."""
    renamed, both = new_run(), new_run()
    for run in (renamed, both):
        run.read(recorded.id, recorded)
        run.keep(recorded, "")
    both.keep(recorded, "")

    assert renamed.create(central(adopt_existing=True, declared_by="acme/infra/dev/renamed")).id == recorded.id
    renamed.delete(recorded)
    with pytest.raises(DeclaredTwice):
        both.create(central(adopt_existing=True))
    assert len(emulator.stations()) == 1


@pytest.mark.parametrize("other", ["first", "second"])
def test_of_two_resources_with_one_station_none_keeps_it_for_the_other(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, other: str
) -> None:
    """Both are taken out of the program: nothing is left behind. A copied entry has the other's name."""
    entries = [replace(recorded, declared_by="first"), replace(recorded, declared_by=other)]
    for entry in entries:
        stations.read(entry.id, entry)
        stations.keep(entry, entry.declared_by)

    for entry in entries:
        stations.delete(entry)

    assert emulator.stations() == []


def test_a_station_that_another_resource_goes_on_with_is_not_deleted(
    emulator: Emulator, stations: StationOperations, recorded: Recorded, said: list[str]
) -> None:
    """Two resources of one state had it, and one was taken out of the program."""
    stations.keep(recorded, "second")

    stations.delete(recorded)

    assert said == ["Keeping monitoring station 'central-01' (12345/1): another resource of this program has it."]
    assert calls(emulator) == []
