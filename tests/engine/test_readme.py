"""The README does what it says: its commands and programs run, and its tables match the code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chekt_provider.api.interruption import Interruption
from chekt_provider.api.transport import Transport
from chekt_provider.emulator import Emulator, Fault, Switches
from chekt_provider.errors import ChektError
from chekt_provider.model.fields import AssignmentInputs
from chekt_provider.model.records import Recorded
from chekt_provider.operations.stations import StationOperations
from chekt_provider.plugin.run import Run
from chekt_provider.rollout.plan import read_plan
from tests.engine.conftest import Stack
from tests.helpers import COLLECTION, assert_printed, blocks, central, held, house, placed, steps
from tools.tables import with_tables
from tools.venv import fingerprint

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def part(title: str) -> str:
    """What the README has under a heading."""
    return README.split(f"\n## {title}\n")[1].partition("\n## ")[0]


SITES = part("Which station a site's signals go to")
(PULUMI_YAML,) = blocks(part("A program of your own"), "yaml")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone of this checkout, with the set-up of this one lent to it."""
    copy = tmp_path / "chekt-provider"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, files.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    (copy / ".venv").mkdir()
    for child in (ROOT / ".venv").iterdir():
        if child.name != ".complete":
            (copy / ".venv" / child.name).symlink_to(child)
    (copy / ".venv" / ".complete").write_text(fingerprint(copy))
    return copy


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str, Path], str]:
    """A shell with an empty home: what a command printed; it must have succeeded."""
    home = tmp_path / "home"
    home.mkdir()
    ours = ("PULUMI_", "CHEKT_", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    environment = {**kept, "HOME": str(home), "XDG_CACHE_HOME": cache, "NO_COLOR": "1", "COLUMNS": "80"}

    def run(command: str, folder: Path) -> str:
        done = subprocess.run(
            ["bash", "-euc", command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    return run


def test_the_two_commands_do_what_the_readme_shows(checkout: Path, shell: Callable[[str, Path], str]) -> None:
    """`make up` creates three stations, again it changes nothing, `make down` leaves nothing."""
    shown = [step for console in blocks(part("Try it"), "console")[:2] for step in steps(console)]

    assert [command for command, _ in shown] == ["make up", "make up", "make down"]
    for command, promised in shown:
        assert_printed(promised, shell(command, checkout))


def test_a_program_of_ones_own_works_as_shown(
    checkout: Path, shell: Callable[[str, Path], str], tmp_path: Path
) -> None:
    """The two files, and the commands around them, in their own folder."""
    (prepare, run) = blocks(part("A program of your own"), "console")
    (program,) = blocks(part("A program of your own"), "python")
    assert len(program.strip().splitlines()) <= 10, "ten lines"

    shell("\n".join(command for command, _ in steps(prepare)), checkout)
    folder = tmp_path / "home" / "stations"
    (folder / "Pulumi.yaml").write_text(PULUMI_YAML)
    (folder / "__main__.py").write_text(program)
    printed = shell(
        f'cd {checkout}; eval "$(make -s env)"; cd {folder}; ' + "; ".join(command for command, _ in steps(run)),
        tmp_path,
    )

    assert_printed([line for _, promised in steps(run) for line in promised], printed)


def test_existing_stations_come_under_management_as_shown(
    checkout: Path, shell: Callable[[str, Path], str], tmp_path: Path, emulator: Emulator
) -> None:
    """Thirty stations of an emulator: all are adopted, nothing is written."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Central Station, Springfield", prefix="CS")
    for number in range(2, 31):
        emulator.add_station(external_monitoring_station_id=f"x-{number}", name=f"No. {number}", linecard=f"{number}")
    before = held(emulator)
    text = part("Your existing stations")
    (prepare, run), (program,) = blocks(text, "console"), blocks(text, "python")
    settings = "; ".join(f"export {name}={value}" for name, value in emulator.environment().items())
    begin = f'{settings}; cd {checkout}; eval "$(make -s env)"; '

    shell(begin + "; ".join(command for command, _ in steps(prepare)), tmp_path)
    folder = tmp_path / "home" / "existing"
    (folder / "Pulumi.yaml").write_text(*blocks(text, "yaml"))
    (folder / "__main__.py").write_text(program)
    printed = shell(f"{begin} cd {folder}; " + "; ".join(command for command, _ in steps(run)), tmp_path)

    assert_printed([line for _, promised in steps(run) for line in promised], printed)
    assert printed.count("Adopting monitoring station") >= 30
    assert held(emulator) == before
    assert {r.method for r in emulator.requests if r.path != "/oauth/token"} == {"GET"}


def test_the_commands_for_the_real_chekt_work(
    checkout: Path, shell: Callable[[str, Path], str], tmp_path: Path, emulator: Emulator
) -> None:
    """Install, settings, preview, up; the base URL points at an emulator in place of the real CHeKT."""
    commands = [command for command, _ in steps(blocks(part("With the real CHeKT"), "console")[0])]
    assert commands[0] == "pip install path/to/chekt-provider"
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(PULUMI_YAML)
    (folder / "__main__.py").write_text(*blocks(part("A program of your own"), "python"))
    (tmp_path / "path" / "to").mkdir(parents=True)
    checkout.rename(tmp_path / "path" / "to" / "chekt-provider")

    install = (
        f"{ROOT}/.venv/bin/python -m {commands[0]} --quiet --no-index --no-deps --no-build-isolation --target installed"
    )
    shell(install, tmp_path)
    prepare = f'cd {ROOT}; eval "$(make -s env)"; cd {folder}; export PYTHONPATH={tmp_path}/installed; '
    prepare += f"mkdir {tmp_path}/state; export PULUMI_BACKEND_URL=file://{tmp_path}/state; pulumi stack init dev; "
    prepare += f"export CHEKT_BASE_URL={emulator.url}; "
    typed = {
        "pulumi config set chekt:clientId my-app": "pulumi config set chekt:clientId emulator-client",
        "pulumi config set --secret chekt:clientSecret": "echo emulator-secret | pulumi config set --secret "
        "chekt:clientSecret",
        "pulumi up": "pulumi up --yes",
    }
    printed = shell(prepare + "; ".join(typed.get(command, command) for command in commands[1:]), tmp_path)

    assert "+ 2 created" in printed
    assert [station["name"] for station in emulator.stations()] == ["Central Station, Springfield"]


def test_the_program_with_a_site_runs_on_an_emulator_with_that_site(
    shell: Callable[[str, Path], str], tmp_path: Path
) -> None:
    """The command and the file that the README shows."""
    for name, text in (
        ("Pulumi.yaml", PULUMI_YAML),
        ("sites.yaml", *blocks(SITES, "yaml")),
        ("__main__.py", *blocks(SITES, "python")),
    ):
        (tmp_path / name).write_text(text)
    (command, promised) = steps(*blocks(SITES, "console"))[0]

    printed = shell(
        f'cd {ROOT}; eval "$(make -s env)"; cd {tmp_path}; mkdir state; '
        f"export PULUMI_BACKEND_URL=file://{tmp_path}/state; pulumi stack init dev; {command}",
        tmp_path,
    )

    assert_printed(promised, printed)


def test_the_program_with_a_site_runs(emulator: Emulator, stack: Stack) -> None:
    """An existing site goes on its station; without that station in the program it goes to the other one."""
    emulator.add_site(external_site_id="villa-01", name="Villa", account_number="0042")
    (program,) = blocks(SITES, "python")
    (stack.folder / "__main__.py").write_text(program)
    stack.up()
    named = {s["name"]: s["monitoring_station_id"] for s in emulator.stations()}
    assert placed(emulator) == {1: named["Central Station, Springfield"]}
    assert stack.outputs() == {"account": "0042"}

    (stack.folder / "__main__.py").write_text("".join(program.partition("central =")[0]))
    stack.up()
    assert placed(emulator) == {1: named["Backup Receiving Centre"]}
    assert [s["name"] for s in emulator.stations()] == ["Backup Receiving Centre"]


def test_the_program_for_testing_runs(shell: Callable[[str, Path], str], tmp_path: Path) -> None:
    """The emulator as a test kit."""
    path = tmp_path / "kit.py"
    path.write_text(*blocks(part("Testing your own programs"), "python"))

    printed = shell(f"{ROOT}/.venv/bin/python {path}", tmp_path).splitlines()

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+ 12345", printed[0])
    assert printed[1:] == ["[]", "0"]


def test_the_program_of_several_dealers_runs(stack: Stack) -> None:
    """A station for each; the API is that of the environment, the apps are not."""
    (stack.folder / "__main__.py").write_text(*blocks(part("Several dealers"), "python"))
    with Emulator(dealers=[111, 222], client_id="app", client_secret="canary-7d1f") as both:
        values = {"ClientId": "app", "ClientSecret": "canary-7d1f"}
        options = [f"--secret={dealer}{name}={values[name]}" for dealer in ("alpha", "bravo") for name in values]
        stack.pulumi("config", "set-all", "--plaintext=alphaDealerId=111", "--plaintext=bravoDealerId=222", *options)

        stack.up(CHEKT_BASE_URL=both.url, CHEKT_TOKEN_URL=None)

        for dealer in (111, 222):
            assert [station["name"] for station in both.stations(dealer)] == ["Central Station, Springfield"]


def test_the_program_with_lookups_runs(emulator: Emulator, stack: Stack) -> None:
    """Two lookups, and a station read by its id; nothing is written."""
    emulator.add_station(external_monitoring_station_id="central-01", name="Central")
    emulator.add_station(external_monitoring_station_id="backup-01", name="Backup")
    (stack.folder / "__main__.py").write_text(*blocks(part("Stations that something else manages"), "python"))

    stack.up()

    assert stack.outputs() == {"backup": 2, "names": ["Central", "Backup"], "central": "Central"}
    assert {r.method for r in emulator.requests if r.path != "/oauth/token"} == {"GET"}


def test_the_program_with_a_stations_file_runs(emulator: Emulator, stack: Stack) -> None:
    """The file beside the program that reads it."""
    (stack.folder / "stations.yaml").write_text(*blocks(part("Stations as data"), "yaml"))
    (program,) = blocks(part("Stations as data"), "python")
    (stack.folder / "__main__.py").write_text(program)

    stack.up()

    assert held(emulator) == [(1, "central-01", "Central Station, Springfield", "CS", "10001")]


def test_the_rollout_file_is_one(tmp_path: Path) -> None:
    """Two waves, two stacks at once; test_rollout.py shows what it does."""
    for name in ("rollout.yaml", "Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod-1.yaml"):
        (file,) = blocks(part("Many stacks"), "yaml")
        (tmp_path / name).write_text(file if name == "rollout.yaml" else "name: stations\n")
    plan = read_plan(str(tmp_path / "rollout.yaml"))
    assert [(wave.stacks, wave.parallel, wave.approval) for wave in plan.waves] == [
        (("dev",), 2, False),
        (("prod-1",), 2, True),
    ]


def test_every_block_of_the_readme_is_run() -> None:
    """A new block needs a test."""
    assert {language: len(blocks(README, language)) for language in ("console", "python", "yaml")} == {
        "console": 9,
        "python": 7,
        "yaml": 5,
    }
    assert README.count("```") == 2 * 21


def test_the_tables_of_inputs_and_settings_are_those_of_the_code() -> None:
    """`make tables` writes them."""
    assert with_tables(README) == README
    for row in (
        "| `name` | The name that people see. Up to 200 characters. | updated in place |",
        "| `adopt_existing` | Take over a station that has this external id already. Left out: `chekt:adoptExisting`. "
        "| no change by itself |",
        "| `probe_timeout` | How long the receiver has to accept it. Left out: 5. 1 to 60 seconds. "
        "| recorded, without a call |",
        "| `chekt:dealerId` | `CHEKT_DEALER_ID` | The dealer of resources that name none. |",
    ):
        assert f"{row}\n" in README


def test_every_extra_is_named() -> None:
    """They are those of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert re.findall(r"(?:chekt-provider|`)\[(\w+)\]`", README)[:4] == list(project["optional-dependencies"])


def test_every_make_target_in_the_readme_exists() -> None:
    """The README promises no command that make does not know."""
    named = set(re.findall(r"[`$(] ?make (?:-s )?([a-z]+)", README))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert named == {"up", "down", "test", "faults", "bench", "check", "env", "help"}
    assert named <= targets


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """These are the links to files of this repository."""
    links = [link.replace("\\", "") for link in re.findall(r"\]\(([^)#]+)\)", README)]

    assert "examples/infra-repo" in links
    assert [link for link in links if not link.startswith("https://") and not (ROOT / link).exists()] == []


def test_every_example_is_in_the_table() -> None:
    """Each folder of examples/, with its own README."""
    table = README.split("| example | what it shows |")[1].split("\n\n")[0]
    folders = [path.name for path in (ROOT / "examples").iterdir() if path.name != "__pycache__"]

    assert sorted(re.findall(r"^\| \[([\w-]+)\]\(examples/\1\) \| \w", table, re.MULTILINE)) == sorted(folders)
    assert [name for name in folders if not (ROOT / "examples" / name / "README.md").exists()] == []


class _Situations:
    """One situation for each line of the table of errors."""

    def __init__(self, emulator: Emulator, new_process: Callable[..., Run]) -> None:
        self.emulator = emulator
        self.new_process = new_process

    def new_run(self, **changes: object) -> StationOperations:
        return self.new_process(**changes).stations

    def _fail(self, status: int, path: str = COLLECTION, **more: object) -> StationOperations:
        self.emulator.add_fault(Fault.model_validate({"path": path, "status": status, "times": None, **more}))
        return self.new_run()

    def _recorded(self) -> Recorded:
        return self.new_run().create(central())

    def no_credentials(self) -> None:
        self.new_run(client_id="", client_secret="").create(central())

    def wrong_secret(self) -> None:
        self.new_run(client_secret="wrong").create(central())

    def no_token(self) -> None:
        self._fail(503, "/oauth/token").create(central())

    def nobody_listens(self) -> None:
        url = self.emulator.url
        self.emulator.stop()
        self.new_run(base_url=url).create(central())

    def portal(self) -> None:
        self._fail(200, body="<html>", content_type="text/html").create(central())

    def refusal(self) -> None:
        self._fail(403).create(central())

    def failure(self) -> None:
        self._fail(503).create(central())

    def summaries(self) -> None:
        self._fail(200, method="GET", body='[{"monitoring_station_id": 1, "name": "Central"}]').create(central())

    def not_adopted(self) -> None:
        recorded = self._recorded()
        run = self._fail(403, "*", method="PUT")
        with pytest.raises(ChektError):
            run.create(central(name="New", adopt_existing=True, declared_by="another"))
        run.delete(recorded)

    def interrupted(self) -> None:
        settings, interruption = self.new_process().settings, Interruption()
        interruption.come()
        Run(settings, Transport(settings, say=print, interruption=interruption), print).stations.create(central())

    def exists(self) -> None:
        self._recorded()
        self.new_run().create(central())

    def in_doubt(self) -> None:
        run = self._fail(503, method="POST", when="after")
        self._fail(403, method="GET", skip=2)
        run.create(central())

    def not_shown(self) -> None:
        self._fail(202, method="POST", body="").create(central())

    def dead(self) -> None:
        old = {"monitoring_station_id": 9, "name": "Central", "created_at": "2020-01-01T00:00:00.000Z"}
        self._fail(201, method="POST", body=json.dumps(old)).create(central())

    def changed_external_id(self) -> None:
        other = {"monitoring_station_id": 9, "external_monitoring_station_id": "acme/central-01", "name": "Central"}
        self._fail(201, method="POST", body=json.dumps(other)).create(central())

    def being_deleted(self) -> None:
        self._recorded()
        self._fail(404, f"{COLLECTION}/1").create(central(adopt_existing=True))

    def half_a_list(self) -> None:
        self._fail(200, body="[]", headers={"X-Total-Count": "3"}).create(central())

    def long_list(self) -> None:
        body = json.dumps([{"monitoring_station_id": n} for n in range(1, 100_002)])
        self._fail(200, body=body).create(central())

    def circle(self) -> None:
        link = {"Link": f'<{COLLECTION}?cursor=a>; rel="next"'}
        self._fail(200, body='[{"monitoring_station_id": 1}]', headers=link).create(central())

    def restored(self) -> None:
        recorded = self._recorded()
        self.emulator.put_station(1, external_monitoring_station_id="shop-77", name="Shop")
        self.new_run().delete(recorded)

    def two_hundred_and_an_error(self) -> None:
        recorded = self._recorded()
        self._fail(200, f"{COLLECTION}/1", method="DELETE", body='{"error": {"code": "locked"}}').delete(recorded)

    def never_done(self) -> None:
        recorded = self._recorded()
        self._fail(202, f"{COLLECTION}/1", method="DELETE", body="").delete(recorded)

    def twins(self) -> None:
        self.emulator.add_station(external_monitoring_station_id="central-01", name="One")
        self.emulator.add_station(external_monitoring_station_id="central-01", name="Two")
        self.new_run().create(central())

    def twice(self) -> None:
        run = self.new_run()
        run.create(central())
        run.create(central())

    def kept_as_one(self) -> None:
        self.emulator.switches = Switches(external_ids="folded")
        run = self.new_run()
        for external_id in ("Central-01", "CENTRAL-01"):
            run.create(central(external_monitoring_station_id=external_id, adopt_existing=True))

    def vanished(self) -> None:
        recorded = self._recorded()
        self.emulator.remove_station(1)
        self.new_run().update(recorded, central(name="New"))

    def not_taken(self) -> None:
        recorded = self._recorded()
        body = '{"monitoring_station_id": 1, "external_monitoring_station_id": "central-01", "name": "Central"}'
        self._fail(200, f"{COLLECTION}/1", method="PUT", body=body).update(recorded, central(name="New"))

    def sites(self) -> None:
        recorded = self._recorded()
        for n in range(2):
            self.emulator.add_site(external_site_id=f"s-{n}", name="House", monitoring_station_id=1)
        self.new_run().delete(recorded)

    def hidden_sites(self) -> None:
        recorded = self._recorded()
        self._fail(403, "*/sites").delete(recorded)

    def _assign(self, on: str = "1", **more: str) -> None:
        site = more or {"site_id": "1"}
        inputs = {"dealer_id": "12345", "monitoring_station_id": on, **site}
        self.new_process().assignments.create(AssignmentInputs.model_validate(inputs))

    def _two_sites(self) -> Recorded:
        recorded = self._recorded()
        house(self.emulator, "0001", on=None)
        house(self.emulator, "0002")
        return recorded

    def same_number(self) -> None:
        self._two_sites()
        self.emulator.edit_site(1, account_number="0002")
        self._assign()

    def no_station(self) -> None:
        self._two_sites()
        self._assign("77")

    def itself(self) -> None:
        self.new_run().delete(replace(self._two_sites(), reassign_sites_to="1"))

    def half_way(self) -> None:
        recorded = self._two_sites()
        self.emulator.edit_site(1, monitoring_station_id=1)
        self.emulator.add_station(external_monitoring_station_id="backup-01", name="Backup")
        self._fail(503, "*/sites/2", method="PUT").delete(replace(recorded, reassign_sites_to="2"))

    def no_site(self) -> None:
        self._assign(site_id="77")

    def twin_sites(self) -> None:
        self._two_sites()
        self.emulator.edit_site(2, external_site_id="house-1")
        self._assign(external_site_id="house-1")

    def assigned_twice(self) -> None:
        self._two_sites()
        run = self.new_process().assignments
        for _ in range(2):
            run.create(AssignmentInputs(dealer_id="12345", monitoring_station_id="1", site_id="1"))

    def doomed(self) -> None:
        recorded = self._two_sites()
        run = self.new_process()
        with pytest.raises(ChektError):
            run.stations.delete(recorded)
        run.assignments.create(AssignmentInputs(dealer_id="12345", monitoring_station_id="1", site_id="1"))

    def silent(self) -> None:
        self._two_sites()
        inputs = AssignmentInputs(dealer_id="12345", monitoring_station_id="1", site_id="1", probe="tcp://127.0.0.1:1")
        self.new_process().assignments.create(inputs)

    def dropped(self) -> None:
        self._two_sites()
        self.emulator.switches = Switches(site_put="replace")
        self._fail(403, "*/sites/1", method="PUT", skip=1)
        self._assign()

    def switched_off(self) -> None:
        self._two_sites()
        self.emulator.edit_site(1, is_activated=1)
        self.emulator.switches = Switches(site_activation="off")
        self._assign()

    def elsewhere(self) -> None:
        recorded = self._recorded()
        self.new_run(base_url="https://api.chektdev.com").delete(recorded)


SITUATIONS: dict[str, Callable[[_Situations], None]] = {
    "no credentials are set": _Situations.no_credentials,
    "the token endpoint refused the credentials": _Situations.wrong_secret,
    "gave no token": _Situations.no_token,
    "does not accept connections": _Situations.nobody_listens,
    "something that is not CHeKT answered": _Situations.portal,
    "CHeKT refused": _Situations.refusal,
    "CHeKT failed": _Situations.failure,
    "the run was interrupted": _Situations.interrupted,
    "it exists already as": _Situations.exists,
    "The station may have been created": _Situations.in_doubt,
    "CHeKT answered that it created it, and does not show it": _Situations.not_shown,
    "which was deleted": _Situations.dead,
    "with an external id that CHeKT changed": _Situations.changed_external_id,
    "stations have this external id already": _Situations.twins,
    "it is being deleted, or has just been": _Situations.being_deleted,
    "what CHeKT lists is not whole": _Situations.half_a_list,
    "what CHeKT lists leaves out": _Situations.summaries,
    "a list has more than": _Situations.long_list,
    "a list goes in a circle": _Situations.circle,
    "now, and was": _Situations.restored,
    "another resource of this program has the same external id": _Situations.twice,
    "which another resource of this program has": _Situations.kept_as_one,
    "was to adopt it, which failed": _Situations.not_adopted,
    "it does not exist any more": _Situations.vanished,
    "CHeKT did not take": _Situations.not_taken,
    "CHeKT answered success with an error in it": _Situations.two_hundred_and_an_error,
    "and still shows the station after": _Situations.never_done,
    "send their signals to it": _Situations.sites,
    "whether sites send their signals to it cannot be read": _Situations.hidden_sites,
    "with the same account number": _Situations.same_number,
    "has no monitoring station": _Situations.no_station,
    "reassign_sites_to names the station itself": _Situations.itself,
    "sites were moved before, and the station was not deleted": _Situations.half_way,
    "the dealer has no such site": _Situations.no_site,
    "sites have this external id": _Situations.twin_sites,
    "another resource of this program assigns the same site": _Situations.assigned_twice,
    "is being deleted by the same run": _Situations.doomed,
    "the receiver at": _Situations.silent,
    "CHeKT dropped": _Situations.dropped,
    "changed more than its station": _Situations.switched_off,
    "the state says that it is on": _Situations.elsewhere,
}


@pytest.mark.parametrize("text", SITUATIONS)
def test_an_error_reads_as_the_readme_says(emulator: Emulator, new_process: Callable[..., Run], text: str) -> None:
    """The text of the table is in the line, and the line is one line."""
    with pytest.raises(ChektError) as caught:
        SITUATIONS[text](_Situations(emulator, new_process))

    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_error_of_the_readme_has_its_situation() -> None:
    """The table and the situations name the same texts."""
    table = README.split("| the line says | it means |")[1].split("\n\n")[0]

    assert re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE) == list(SITUATIONS)
