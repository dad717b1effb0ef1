"""The command `chekt emulator`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import requests

from chekt_provider.cli.command import command as typed
from chekt_provider.emulator import Emulator, Switches

CHEKT = [sys.executable, "-c", "from chekt_provider.cli import main; main()", "emulator"]

ASK = """
import os, requests
form = {"grant_type": "client_credentials", "client_id": os.environ["CHEKT_CLIENT_ID"],
        "client_secret": os.environ["CHEKT_CLIENT_SECRET"]}
token = requests.post(os.environ["CHEKT_TOKEN_URL"], data=form).json()["access_token"]
stations = f"{os.environ['CHEKT_BASE_URL']}/partner/v1/dealers/{os.environ['CHEKT_DEALER_ID']}/monitoring-stations"
session = requests.Session()
session.headers["Authorization"] = "Bearer " + token
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run([*CHEKT, *arguments], capture_output=True, text=True, timeout=60, check=False)


def python(program: str) -> list[str]:
    """Give a command that calls the API and then does what the program says."""
    return ["--", sys.executable, "-c", ASK + program]


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes of a test; those still running after it are killed with all their children."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def start(started: list[subprocess.Popen[str]], *arguments: str) -> subprocess.Popen[str]:
    """Start the command as a terminal would: in a process group of its own."""
    process = subprocess.Popen(
        [*CHEKT, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    started.append(process)
    return process


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().rstrip("\n")


def test_a_command_finds_the_emulator_and_its_status_is_passed_on() -> None:
    """It can call the API; the emulator itself prints nothing."""
    made = run(*python("print(session.get(stations).json()); raise SystemExit(7)"))

    assert (made.returncode, made.stdout, made.stderr) == (7, "[]\n", "")


def test_the_caller_s_own_credentials_do_not_reach_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator's take their place; a private key would win over them."""
    for name in ("CHEKT_CLIENT_SECRET", "CHEKT_PRIVATE_KEY", "CHEKT_KEY_ID", "CHEKT_BASE_URL"):
        monkeypatch.setenv(name, "canary")

    assert "canary" not in run("--", "env").stdout


def test_the_two_dashes_may_be_left_out() -> None:
    """Everything from the first word on belongs to the command, its options too."""
    assert run("sh", "-c", "exit 5").returncode == 5


def test_a_command_that_dies_of_a_signal_gives_128_and_its_number() -> None:
    """Shells tell it the same way."""
    assert run("--", "sh", "-c", "kill -9 $$").returncode == 137


def test_a_command_that_does_not_exist_is_127_and_one_line() -> None:
    """Shells do the same."""
    made = run("--", "no-such-command", "-x")

    assert (made.returncode, made.stdout) == (127, "")
    assert made.stderr == "chekt emulator: command not found: no-such-command\n"


def test_a_command_that_cannot_be_run_is_126_and_one_line(tmp_path: Path) -> None:
    """It is a file without the right to be run."""
    (tmp_path / "notes").write_text("x")

    made = run("--", str(tmp_path / "notes"))

    assert (made.returncode, made.stderr) == (126, f"chekt emulator: command cannot be run: {tmp_path}/notes\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--put", "patch"], "--put: Input should be 'merge' or 'replace'"),
        (["--unset", "x"], "--unset: Input should be 'null', 'empty' or 'absent'"),
        (["--clear", "x"], "--clear: Input should be 'empty' or 'null'"),
        (["--duplicate", "500"], "--duplicate: Input should be '409', '400', '422' or 'twin'"),
        (["--delete-with-sites", "x"], "--delete-with-sites: Input should be 'orphan' or 'refuse'"),
        (
            ["--lists", "x"],
            "--lists: Input should be 'whole', 'pages', 'pages_from_0', 'offset', 'skip', 'added' or 'links'",
        ),
        (["--list-lag", "61"], "--list-lag: Input should be less than or equal to 60"),
        (["--page-size", "0"], "--page-size: Input should be greater than or equal to 1"),
        (["--plan", "x"], "--plan: Input should be 'free', 'pro', 'enterprise' or 'none'"),
        (["--port", "65536"], "--port: Input should be less than or equal to 65535"),
        (["--dealer", "1", "--dealer", "0"], "--dealer: Input should be greater than or equal to 1"),
        (["--token-life", "-1"], "--token-life: Input should be greater than or equal to 0"),
        (["--state", "/nonexistent/x"], "--state: /nonexistent/x: unable to open database file"),
    ],
)
def test_a_bad_value_is_one_line_and_status_2(
    capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """The line names the option and what it takes; the command is not run."""
    with pytest.raises(SystemExit) as end:
        typed(["emulator", *arguments, "--", "echo", "ran"])

    assert (end.value.code, *capfd.readouterr()) == (2, "", f"chekt emulator: {message}\n")


def test_a_port_in_use_is_one_line_and_status_2(emulator: Emulator) -> None:
    """Somebody else listens on it."""
    made = run("--port", str(emulator.port))

    assert (made.returncode, made.stdout) == (2, "")
    assert made.stderr == "chekt emulator: --port: Address already in use\n"


def test_every_option_reaches_the_emulator() -> None:
    """Seen from inside: dealers, plan, life of tokens and every switch."""
    options = ["--dealer", "7", "--dealer", "8", "--plan", "free", "--token-life", "90", "--page-size", "3"]
    options += ["--put", "replace", "--unset", "absent", "--clear", "null", "--duplicate", "twin"]
    options += ["--idempotency", "ignored", "--delete-with-sites", "refuse", "--lists", "links"]
    options += ["--external-ids", "folded", "--values", "cut", "--cut-at", "20", "--numbers", "again"]
    options += ["--created-at", "naive", "--database-clock", "-1.5", "--date-header", "absent"]
    options += ["--post-answer", "location", "--delete-answer", "202", "--delete-delay", "0.5", "--gone", "410"]
    options += ["--replays", "marked", "--list-total", "told", "--unknown-query", "refused"]
    options += ["--list-lag", "15", "--item-lag", "3", "--site-put", "required", "--site-activation", "off"]
    options += ["--site-put-delay", "4", "--site-put-answer", "old"]
    program = """
print(os.environ["CHEKT_DEALER_ID"], session.get(stations.replace("/7/", "/8/")).headers["X-RateLimit-Limit"])
print(requests.post(os.environ["CHEKT_TOKEN_URL"], data=form).json()["expires_in"])
print(requests.get(os.environ["CHEKT_BASE_URL"] + "/_emulator/switches").json())
"""

    made = run(*options, *python(program))

    switches = {
        "put": "replace",
        "unset": "absent",
        "clear": "null",
        "duplicate": "twin",
        "external_ids": "folded",
        "values": "cut",
        "cut_at": 20,
        "numbers": "again",
        "created_at": "naive",
        "database_clock": -1.5,
        "date_header": "absent",
        "post_answer": "location",
        "delete_answer": "202",
        "delete_delay": 0.5,
        "delete_with_sites": "refuse",
        "gone": "410",
        "idempotency": "ignored",
        "replays": "marked",
        "lists": "links",
        "page_size": 3,
        "list_total": "told",
        "unknown_query": "refused",
        "list_lag": 15.0,
        "item_lag": 3.0,
        "site_put": "required",
        "site_activation": "off",
        "site_put_delay": 4.0,
        "site_put_answer": "old",
    }
    assert made.stderr == ""
    assert made.stdout == f"7 60\n90\n{switches}\n"


def test_help_names_every_switch_with_its_positions() -> None:
    """Each has its option, and the option its default."""
    made = subprocess.run(
        [*CHEKT, "--help"], capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "900"}
    )

    for name, field in Switches.model_fields.items():
        assert f"--{name.replace('_', '-')}" in made.stdout
        assert "|".join(get_args(field.annotation)) in made.stdout
        assert f"Default: {field.default}." in made.stdout


def test_a_state_file_lasts_from_one_command_to_the_next(tmp_path: Path) -> None:
    """A station made in one run is there in the next."""
    state = ["--state", str(tmp_path / "state.db")]
    make = 'session.post(stations, json={"external_monitoring_station_id": "a", "name": "A"}).raise_for_status()'

    assert run(*state, *python(make)).returncode == 0
    assert run(*state, *python('print(session.get(stations).json()[0]["name"])')).stdout == "A\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_command_it_serves_until_it_is_told_to_end(
    started: list[subprocess.Popen[str]], number: signal.Signals
) -> None:
    """It prints its address, its page, and the lines to paste; then it ends with status 0."""
    process = start(started)

    url = line(process).removeprefix("CHeKT's Partner API, emulated: ").removesuffix(" (Ctrl-C ends it)")
    assert [line(process) for _ in range(7)] == [
        f"What it does, and its switches and faults: {url}/docs",
        "To point a program at it:",
        f"export CHEKT_BASE_URL={url}",
        f"export CHEKT_TOKEN_URL={url}/oauth/token",
        "export CHEKT_CLIENT_ID=emulator-client",
        "export CHEKT_CLIENT_SECRET=emulator-secret",
        "export CHEKT_DEALER_ID=12345",
    ]
    assert requests.get(f"{url}/docs", timeout=20).status_code == 200

    process.send_signal(number)
    assert process.wait(20) == 0
    assert process.communicate() == ("", "")


def test_ctrl_c_reaches_the_command_once_and_the_emulator_outlives_it(started: list[subprocess.Popen[str]]) -> None:
    """The command cleans up while the API is still there, and its status is passed on."""
    program = """
import signal, sys, threading
count, done = [], threading.Event()
signal.signal(signal.SIGINT, lambda *_: (count.append(1), done.set()))
print("ready", flush=True)
done.wait()
sys.stdin.readline()
print(len(count), session.get(stations).status_code, flush=True)
raise SystemExit(9)
"""
    process = start(started, *python(program))
    assert line(process) == "ready"

    os.killpg(process.pid, signal.SIGINT)  # what a terminal does at Ctrl-C

    out, err = process.communicate("go\n", timeout=20)
    assert (out, err, process.returncode) == ("1 200\n", "", 9)


def test_sigterm_is_passed_on_to_the_command(started: list[subprocess.Popen[str]]) -> None:
    """It is sent to the emulator alone, as a supervisor does; the status is the command's."""
    process = start(started, *python('print("ready", flush=True); import signal; signal.pause()'))
    assert line(process) == "ready"

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 128 + signal.SIGTERM


SEED = """
stations:
  - external_monitoring_station_id: backup-01
    name: Backup
sites:
  - external_site_id: villa-01
    name: Villa
    account_number: "0042"
    monitoring_station: backup-01
  - {external_site_id: shop-01, name: Shop}
"""
SHOW = """
print([(s["name"], s["monitoring_station_id"]) for s in session.get(stations).json()])
sites = stations.replace("monitoring-stations", "sites")
print([(s["name"], s["account_number"], s["monitoring_station_id"]) for s in session.get(sites).json()])
"""


def test_it_begins_with_the_stations_and_sites_of_a_file(tmp_path: Path) -> None:
    """It does not add those that a kept state already has."""
    (tmp_path / "seed.yaml").write_text(SEED)
    begins = ("--state", str(tmp_path / "state"), "--seed", str(tmp_path / "seed.yaml"), *python(SHOW))

    for done in (run(*begins), run(*begins)):
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines() == ["[('Backup', 1)]", "[('Villa', '0042', 1), ('Shop', None, None)]"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sites: @x", "{file}:1: this is not YAML: text that begins with a sign such as @, % or ` needs quotes."),
        (
            "sites: [{external_site_id: a, name: A, account_number: 42}]",
            "{file}:1: sites[0].account_number must be text; what YAML takes for something else needs quotes.",
        ),
        (
            "sites: [{external_site_id: a, name: A, colour: red}]",
            "{file}:1: sites[0]: 'colour' is not a key here: there are account_number, address1, address2, name, "
            "dealer_id, external_site_id, timezone, monitoring_station.",
        ),
        ("station: []", "{file}:1: 'station' is not a key here; did you mean 'stations'?"),
        (
            "sites: [{external_site_id: a, name: A, monitoring_station: b-01}]",
            "site 'a': there is no station 'b-01'",
        ),
        ("sites: [{external_site_id: a, name: A, dealer_id: 7}]", "dealer 7 does not exist"),
    ],
)
def test_a_seed_that_cannot_be_taken_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    """Nothing begins."""
    file = tmp_path / "seed.yaml"
    file.write_text(text)

    done = run("--seed", str(file), "--", "true")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"chekt emulator: --seed: {line.format(file=file)}\n"


def test_a_seed_that_is_not_there_is_one_line() -> None:
    """The same goes for any file of the command."""
    done = run("--seed", "/nowhere/seed.yaml", "--", "true")

    assert done.returncode == 2
    assert done.stderr.startswith("chekt emulator: --seed: /nowhere/seed.yaml: there is no such file; ")
