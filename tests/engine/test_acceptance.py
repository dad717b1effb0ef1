"""The acceptance list, item by item, and the items that no other test shows.

A test says which items it shows: `@pytest.mark.acceptance(…)`. test_life.py crosses the switches of CHeKT's open
questions with the life of a stack.
"""

from __future__ import annotations

import ast
import base64
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.provider import MonitoringStationProvider
from tests.engine.conftest import Stack, until
from tests.helpers import COLLECTION, EXISTS_REMEDY, anonymous, held, house, placed

ITEMS = (
    "create, empty preview, refresh, empty preview",
    "update each field alone",
    "clear each optional field",
    "rename with sites: the downstream id stays known",
    "change of the external id: replace, guard",
    "out-of-band delete",
    "out-of-band edit",
    "wrong dealer: 404",
    "empty list",
    "adopt: equal, different, two matches, none",
    ".get()",
    "duplicate POST: 409, 400, silent twin",
    "no answer after commit: POST, PUT, DELETE",
    "429 with and without Retry-After, at the token endpoint too",
    "401 in mid-run",
    "secret rotated in config, then destroy",
    "50 stations on 4 threads",
    "a stack of release N-1 refreshed and destroyed by N",
    "Python upgrade",
    "SDK 3.216, 3.259, 3.260, 3.267, 3.268, latest",
    "state scanned for secret and token after every case",
    "Ctrl-C during create",
)


def named(folder: Path) -> set[str]:
    """The items that the marks of all tests below a folder name."""
    calls = [node for path in folder.rglob("test_*.py") for node in ast.walk(ast.parse(path.read_text()))]
    marks = [node for node in calls if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".acceptance")]
    return {ast.literal_eval(item) for mark in marks for item in mark.args}


def test_every_item_is_shown_by_a_test() -> None:
    """No mark names anything else."""
    assert named(Path(__file__).parents[1]) == set(ITEMS)
    assert len(set(ITEMS)) == len(ITEMS)


def program(**stations: str) -> str:
    """A program of stations, by external id and name."""
    lines = [f"MonitoringStation({x!r}, external_monitoring_station_id={x!r}, name={n!r})" for x, n in stations.items()]
    return "\n".join(lines)


def names(emulator: Emulator) -> dict[str, str]:
    """What CHeKT holds: the stations' names by external id."""
    return {external_id: name for _, external_id, name, _, _ in held(emulator)}


def statuses(emulator: Emulator, method: str, path: str) -> list[int | None]:
    """What each request to one path got; None for one that got no answer."""
    return [r.status for r in emulator.requests if r.method == method and r.path.endswith(path)]


@pytest.mark.acceptance("rename with sites: the downstream id stays known", "change of the external id: replace, guard")
def test_sites_stay_where_they_are_through_a_rename_and_guard_a_replacement(emulator: Emulator, stack: Stack) -> None:
    """A rename touches no assignment. A new external id makes a new station; the old one stays for its other site."""
    house(emulator, "0001", name="Villa", on=None)
    source = """
        a = MonitoringStation("a", external_monitoring_station_id="{}", name="{}")
        SiteAssignment("villa", site_id=1, monitoring_station_id=a.monitoring_station_id)
        pulumi.export("number", a.monitoring_station_id)
    """
    stack.program(source.format("a-01", "A"))
    stack.up()
    house(emulator, "0002", name="Shop", on=1)

    stack.program(source.format("a-01", "Renamed"))
    preview = stack.pulumi("preview", "--diff").text
    assert "~ 1 to update\n    2 unchanged" in preview
    assert "--outputs:--" not in preview

    stack.program(source.format("a-02", "A"))
    assert [anonymous(line) for line in stack.up(status=1).errors] == [
        "error: Could not delete monitoring station 'a-01' (12345/1): 1 site sends its signals to it (0 activated): "
        "'Shop' (2). Nothing was deleted. Move them to another monitoring station first: each with SiteAssignment, or "
        "all with reassign_sites_to (declare the station with it, run `pulumi up`, then delete). (trace id T)"
    ]
    assert names(emulator) == {"a-01": "A", "a-02": "A"}
    assert placed(emulator) == {1: 2, 2: 1}


@pytest.mark.acceptance("wrong dealer: 404")
def test_a_dealer_that_is_not_there_leaves_everything_as_it_is(emulator: Emulator, stack: Stack) -> None:
    """Every call gets a 404: refresh and destroy say so for each, nothing is deleted, the state keeps both."""
    stack.program(program(a="A", b="B"))
    stack.up()
    ids = {name: station["id"] for name, station in stack.stations().items()}
    emulator.withdraw_dealer(12345, status=404)

    refreshed = stack.pulumi("refresh", "--yes", "--skip-preview", status=1)
    destroyed = stack.pulumi("destroy", "--yes", "--skip-preview", "--continue-on-error", status=1)

    for run, operation in ((refreshed, "read"), (destroyed, "delete")):
        assert sorted(line.split(": ")[1] for line in run.errors) == [
            f"Could not {operation} monitoring station 'a' ({ids['a']})",
            f"Could not {operation} monitoring station 'b' ({ids['b']})",
        ]
        assert all("(HTTP 404, trace id " in line for line in run.errors)
    assert sorted(stack.stations()) == ["a", "b"]
    assert {r.status for r in emulator.requests if r.method == "DELETE"} == set()


@pytest.mark.acceptance("empty list", "out-of-band delete")
def test_a_list_that_went_wrong_deletes_nothing_and_a_station_that_went_is_named(
    emulator: Emulator, stack: Stack
) -> None:
    """A list that is empty once changes no state. A station deleted between preview and up is an error."""
    stack.program(program(a="A", b="B"))
    stack.up()
    ids = {name: station["id"] for name, station in stack.stations().items()}

    emulator.add_fault(Fault(method="GET", path=COLLECTION, body="[]"))
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert emulator.faults == []
    assert {name: station["id"] for name, station in stack.stations().items()} == ids

    stack.program(program(a="New", b="B"))
    assert "~ 1 to update" in stack.pulumi("preview").text
    emulator.remove_station(int(ids["a"].removeprefix("12345/")))
    assert [anonymous(line) for line in stack.up(status=1).errors] == [
        f"error: Could not update monitoring station 'a' ({ids['a']}): it does not exist any more. Nothing was "
        "changed. Run `pulumi up --refresh`: it takes the station out of the state and creates it anew. (trace id T)"
    ]
    assert names(emulator) == {"b": "B"}


@pytest.mark.acceptance("duplicate POST: 409, 400, silent twin")
def test_a_station_that_appears_just_before_ours_is_sent(emulator: Emulator, stack: Stack) -> None:
    """The list did not show it yet. If it is refused, the error tells how to adopt it; a twin shows in a refresh."""
    not_yet = Fault(method="GET", path=COLLECTION, body="[]", times=2)
    for answer in ("409", "400"):
        emulator.switches = Switches.model_validate({"duplicate": answer})
        emulator.reset()
        emulator.add_station(external_monitoring_station_id=answer, name="Theirs")
        emulator.add_fault(not_yet)
        stack.program(program(**{answer: "Ours"}))
        assert [anonymous(line) for line in stack.up(status=1).errors] == [
            f"error: Could not create monitoring station '{answer}' of dealer 12345: it exists already as 12345/1, "
            "with name 'Theirs', prefix '', linecard ''. No list showed it before: this run may have made it, or "
            f"somebody else. {EXISTS_REMEDY} (trace id T)"
        ]
        assert statuses(emulator, "POST", COLLECTION) == [int(answer)]
        assert held(emulator) == [(1, answer, "Theirs", "", "")]

    emulator.switches = Switches(duplicate="twin")
    emulator.reset()
    emulator.add_station(external_monitoring_station_id="twin", name="Theirs")
    emulator.add_fault(not_yet)
    stack.program(program(twin="Ours"))
    stack.up()
    assert held(emulator) == [(1, "twin", "Theirs", "", ""), (2, "twin", "Ours", "", "")]
    assert (
        "chekt: 2 stations have the external id 'twin': 12345/1, 12345/2. Delete all but one of them in CHeKT's portal."
    ) in stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes").text


@pytest.mark.acceptance("no answer after commit: POST, PUT, DELETE")
def test_what_was_done_without_an_answer_is_done_once(emulator: Emulator, stack: Stack) -> None:
    """The connection breaks after each: the POST is not sent again, the others are, and the run succeeds.

    CHeKT remembers no key here, so only our own care prevents a second station.
    """
    emulator.switches = Switches(idempotency="ignored")
    stack.program(program(edited="Old", removed="Old"))
    stack.up()
    ids = {name: station["id"].removeprefix("12345") for name, station in stack.stations().items()}
    for method, path in (("POST", COLLECTION), ("PUT", COLLECTION + "/*"), ("DELETE", COLLECTION + "/*")):
        emulator.add_fault(Fault(method=method, path=path, when="after", reset=True))
    stack.program(program(edited="New", added="New"))
    emulator.clear_requests()

    stack.up()

    assert statuses(emulator, "POST", COLLECTION) == [None]
    assert statuses(emulator, "PUT", ids["edited"]) == [None, 200]
    assert statuses(emulator, "DELETE", ids["removed"]) == [None, 404]
    assert names(emulator) == {"edited": "New", "added": "New"}
    assert {name: s["id"] for name, s in stack.stations().items()} == {
        external_id: f"12345/{number}" for number, external_id, *_ in held(emulator)
    }
    stack.up_changes_nothing()


@pytest.mark.acceptance("429 with and without Retry-After, at the token endpoint too", "401 in mid-run")
def test_a_run_outlives_rate_limits_and_the_end_of_its_token(emulator: Emulator, stack: Stack) -> None:
    """It waits out a 429 for as long as asked, wherever it comes from; a 401 costs one more token. No error is left.

    The token is revoked while CHeKT holds back its answer to the first creation; the second one is refused for it.
    """
    asks = {"Retry-After": "1"}
    for path in ("/oauth/token", COLLECTION):
        emulator.add_fault(Fault(method="POST", path=path, status=429, headers=asks))
        emulator.add_fault(Fault(method="POST", path=path, status=429))
    emulator.add_fault(Fault(method="GET", path=COLLECTION, status=429))
    emulator.add_fault(Fault(method="POST", path=COLLECTION, when="after", delay=1))
    stack.program(
        """
        a = MonitoringStation("a", external_monitoring_station_id="a", name="A")
        opts = pulumi.ResourceOptions(depends_on=[a])
        MonitoringStation("b", external_monitoring_station_id="b", name="B", opts=opts)
        """
    )

    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(stack.up)
        until(lambda: names(emulator) == {"a": "A"}, "the first station is stored")
        emulator.revoke_tokens()

    assert run.result().errors == []
    assert names(emulator) == {"a": "A", "b": "B"}
    assert statuses(emulator, "POST", "/oauth/token") == [429, 429, 200, 200]
    assert statuses(emulator, "POST", COLLECTION) == [429, 429, 201, 401, 201]
    for path in ("/oauth/token", COLLECTION):
        asked, obeyed = [r.monotonic for r in emulator.requests if r.method == "POST" and r.path == path][:2]
        assert obeyed - asked >= 1


@pytest.mark.acceptance("secret rotated in config, then destroy")
def test_a_secret_that_was_rotated_in_config_alone_is_stale_for_destroy(emulator: Emulator, stack: Stack) -> None:
    """Pulumi destroys with the config of the last up: one line says to set the environment, and that works."""
    secret = stack.environment.pop("CHEKT_CLIENT_SECRET")
    stack.pulumi("config", "set", "--secret", "chekt:clientSecret", "stale-canary")
    stack.program(program(a="A"))
    stack.up(CHEKT_CLIENT_SECRET=secret)
    stack.pulumi("config", "set", "--secret", "chekt:clientSecret", secret)

    run = stack.pulumi("destroy", "--yes", "--skip-preview", status=1)

    (line,) = run.errors
    assert "Could not delete monitoring station 'a' (12345/1): the token endpoint refused the credentials" in line
    assert "settings of the last `pulumi up`, so after a rotation set the environment variables. (HTTP 401" in line
    assert names(emulator) == {"a": "A"}
    stack.assert_nothing_shows("stale-canary")
    stack.pulumi("destroy", "--yes", "--skip-preview", CHEKT_CLIENT_SECRET=secret)
    assert names(emulator) == {}


@pytest.mark.acceptance("50 stations on 4 threads")
def test_fifty_stations_on_four_threads(emulator: Emulator, stack: Stack) -> None:
    """Created, refreshed and destroyed four at a time: one of each, none twice."""
    wanted = {f"s-{n}": f"Station {n}" for n in range(50)}
    stack.program(program(**wanted))

    stack.up("--parallel", "4")
    assert names(emulator) == wanted
    assert statuses(emulator, "POST", COLLECTION) == [201] * 50
    assert {name: s["id"] for name, s in stack.stations().items()} == {
        external_id: f"12345/{number}" for number, external_id, *_ in held(emulator)
    }
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--parallel", "4")
    stack.pulumi("destroy", "--yes", "--skip-preview", "--parallel", "4")
    assert [r.status for r in emulator.requests if r.method == "DELETE"] == [204] * 50
    assert held(emulator) == []


@pytest.mark.acceptance("Python upgrade")
def test_a_state_that_another_python_wrote_is_good(emulator: Emulator, stack: Stack) -> None:
    """Python versions pickle the provider differently: no such reference counts as a change, and none is lost."""
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    stack.program(program(**{f"p-{n}": "Station" for n in protocols}))
    stack.up()
    state = json.loads(stack.exported())
    written = {f"p-{n}": base64.b64encode(pickle.dumps(MonitoringStationProvider(), n)).decode() for n in protocols}
    for resource in state["deployment"]["resources"]:
        if new := written.get(resource["urn"].rpartition("::")[2]):
            resource["inputs"]["__provider"] = resource["outputs"]["__provider"] = new
    path = stack.folder / "state.json"
    path.write_text(json.dumps(state))
    stack.pulumi("stack", "import", "--file", str(path))
    assert {name: s["outputs"]["__provider"] for name, s in stack.stations().items()} == written
    assert len(set(written.values())) == len(protocols)

    stack.pulumi("preview", "--refresh", "--expect-no-changes")
    stack.destroy()
    assert held(emulator) == []
