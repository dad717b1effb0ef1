"""The OpenAPI document and the page."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

from chekt_provider.emulator import Fault, Switches

if TYPE_CHECKING:
    from tests.emulator.conftest import Api

STATIONS = "/partner/v1/dealers/{dealer_id}/monitoring-stations"
STATION = STATIONS + "/{monitoring_station_id}"

CONFIG = """\
[[operations]]
include-name = "POST /_emulator/faults"
# A fault has rules across its fields, such as hang or reset but not both, which a schema cannot say
checks.positive_data_acceptance.enabled = false
"""


def schemathesis(api: Api, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run schemathesis with all of its checks against the document, as anybody would."""
    (folder / "schemathesis.toml").write_text(CONFIG)
    token = f"Authorization: {api.session.headers['Authorization']!s}"
    command = ["run", f"{api.emulator.url}/openapi.json", "-H", token, "--max-examples", "5", "--seed", "1", *options]
    return subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *command], cwd=folder, capture_output=True, text=True, check=False
    )


def test_schemathesis_finds_nothing_in_the_imitated_api(make_api: Callable[..., Api], tmp_path: Path) -> None:
    """The answers keep what the document promises: statuses, shapes, refusals, methods, tokens."""
    # Schemathesis likes small ids: with a dealer 1 its calls get past the dealer
    api = make_api(dealers=(1,), plan=None)

    run = schemathesis(api, tmp_path, "--exclude-path-regex", "^/_emulator")

    assert run.returncode == 0, run.stdout
    assert "11 selected" in run.stdout


def test_schemathesis_finds_nothing_under_the_other_switches(make_api: Callable[..., Api], tmp_path: Path) -> None:
    """The document says how these switches change statuses and shapes."""
    switches = Switches(
        created_at="absent",
        unset="absent",
        post_answer="location",
        delete_answer="200",
        lists="added",
        unknown_query="refused",
        list_total="told",
        site_put="required",
        numbers="again",
    )
    api = make_api(dealers=(1,), plan=None, switches=switches)

    run = schemathesis(api, tmp_path, "--exclude-path-regex", "^/_emulator", "--phases", "fuzzing,stateful")

    assert run.returncode == 0, run.stdout


def test_schemathesis_finds_nothing_in_the_controls(make_api: Callable[..., Api], tmp_path: Path) -> None:
    """The same holds for the emulator's own routes."""
    api = make_api(dealers=(1,), plan=None)

    run = schemathesis(api, tmp_path, "--include-path-regex", "^/_emulator")

    assert run.returncode == 0, run.stdout


def test_the_document_lists_the_eleven_calls_of_the_api(api: Api) -> None:
    """Paths and methods are CHeKT's; the controls have a tag of their own."""
    document = api.get("//openapi.json").json()

    calls = {
        (method.upper(), path): operation["tags"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    imitated = {call for call, tags in calls.items() if tags != ["Controls of the emulator"]}
    assert imitated == {
        ("POST", "/oauth/token"),
        ("GET", "/partner/v1/dealers/{dealer_id}"),
        ("GET", STATIONS),
        ("POST", STATIONS),
        ("GET", STATIONS + "/{monitoring_station_id}"),
        ("PUT", STATIONS + "/{monitoring_station_id}"),
        ("DELETE", STATIONS + "/{monitoring_station_id}"),
        ("GET", "/partner/v1/dealers/{dealer_id}/sites"),
        ("POST", "/partner/v1/dealers/{dealer_id}/sites"),
        ("GET", "/partner/v1/dealers/{dealer_id}/sites/{site_id}"),
        ("PUT", "/partner/v1/dealers/{dealer_id}/sites/{site_id}"),
    }
    assert all(path.startswith("/_emulator/") for _, path in set(calls) - imitated)


def test_the_document_follows_the_switches(api: Api) -> None:
    """It shows the paging parameters and the value that clears as they are in force."""
    api.emulator.switches = Switches(lists="offset", clear="null")

    document = api.get("//openapi.json").json()

    parameters = [parameter["name"] for parameter in document["paths"][STATIONS]["get"]["parameters"]]
    assert parameters == ["dealer_id", "offset", "limit", "x-partner-trace-id"]
    assert document["components"]["schemas"]["StationUpdate"]["properties"]["prefix"]["anyOf"] == [
        {"type": "string", "minLength": 1},
        {"type": "null"},
    ]


def test_the_document_follows_what_is_answered(api: Api) -> None:
    """It shows the statuses of POST, DELETE and of what is gone; what a station tells and a site requires."""
    assert "410" not in api.get("//openapi.json").json()["paths"][STATION]["get"]["responses"]
    api.emulator.switches = Switches(
        post_answer="accepted", delete_answer="202", gone="410", created_at="absent", site_put="required"
    )

    document = api.get("//openapi.json").json()

    paths, shapes = document["paths"], document["components"]["schemas"]
    made, deleted = paths[STATIONS]["post"]["responses"], paths[STATION]["delete"]["responses"]
    assert ("202" in made, "201" in made, "202" in deleted, "204" in deleted) == (True, False, True, False)
    assert "content" not in made["202"]
    assert {call: "410" in about["responses"] for call, about in paths[STATION].items()} == dict.fromkeys(
        ("get", "put", "delete"), True
    )
    assert "410" not in paths[STATIONS]["get"]["responses"]
    assert "created_at" not in shapes["Station"]["required"]
    assert shapes["SiteUpdate"]["required"] == ["external_site_id", "name", "timezone"]


class Links(HTMLParser):
    """Collects what a page loads or leads to, and whether its elements close."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value or "" for name, value in attrs if name in ("href", "src")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_shows_everything_and_loads_nothing(api: Api) -> None:
    """Routes, fields, switches with their present positions, faults; well formed, and nothing from elsewhere."""
    api.emulator.switches = Switches(put="replace")
    answer = api.get("//docs")
    links = Links()
    links.feed(answer.text)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert links.open == []
    for target in links.targets:
        assert target in ("data:,", "/openapi.json") or target.removeprefix("#") in links.ids
    for path in api.get("//openapi.json").json()["paths"]:
        assert path in answer.text
    for name in (*Switches.model_fields, *Fault.model_fields, "external_monitoring_station_id", "account_number"):
        assert f"<code>{name}</code>" in answer.text
    assert re.search(r"<code>put</code></td><td>merge, replace; now replace<", answer.text)
