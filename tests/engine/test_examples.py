"""The examples, each typed as its README says: it goes up, shows no change, and goes down.

The quickstart's life is in test_readme.py, the fleet's in test_fleet.py.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from chekt_provider.emulator import Emulator
from tests.engine.conftest import let_pack_start
from tests.helpers import assert_printed, blocks, placed, steps

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


class Project:
    """A copy of an example, and a shell in its folder.

    Args:
        name: of the example.
        folder: an empty folder; Pulumi's state goes there too.
        emulator: what the README's commands reach in place of their own emulator.
    """

    def __init__(self, name: str, folder: Path, emulator: Emulator) -> None:
        self.folder = folder / name
        # Without what an earlier try has left there
        left = shutil.ignore_patterns("Pulumi.*.yaml", "chekt.sqlite*", "__pycache__")
        shutil.copytree(EXAMPLES / name, self.folder, ignore=left)
        self.readme = (self.folder / "README.md").read_text()
        (folder / "state").mkdir()
        self.environment = {
            **os.environ,
            **emulator.environment(),
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "NO_COLOR": "1",
        }

    def type(self, command: str, status: int = 0) -> str:
        """Run a command of the README; gives what it printed."""
        command = re.sub(r"^chekt emulator .*?-- ", "", command)
        # The preview of these commands runs the program a second time, and costs as much as all the rest.
        command = re.sub(r"pulumi (up|destroy) --yes", r"\g<0> --skip-preview", command)
        done = subprocess.run(
            ["bash", "-euc", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def type_block(self, number: int, status: int = 0) -> str:
        """Run the commands of a console block, which print what it promises; gives what the last one printed."""
        printed = ""
        for command, promised in steps(blocks(self.readme, "console")[number]):
            printed = self.type(command, status if command.startswith("chekt") else 0)
            assert_printed([line for line in promised if line], printed)
        return printed


def test_two_dealers(tmp_path: Path) -> None:
    """Each dealer's station is at that dealer; another up changes nothing; in the end neither dealer has any."""
    with Emulator(dealers=[111, 222]) as emulator:
        project = Project("two-dealers", tmp_path, emulator)
        project.type_block(0)
        assert "emulator-secret" not in (project.folder / "Pulumi.dev.yaml").read_text()

        project.type_block(1)
        for dealer, name in ((111, "Alpha"), (222, "Bravo")):
            assert [station["name"] for station in emulator.stations(dealer)] == [f"Central Station of {name}"]
        project.type("pulumi preview --expect-no-changes")

        project.type_block(2)
        assert (emulator.stations(111), emulator.stations(222)) == ([], [])

    start = steps(blocks(project.readme, "console")[1])[0][0].partition("pulumi")[0]
    assert start == "chekt emulator --dealer 111 --dealer 222 --state chekt.sqlite -- "
    subprocess.run([*start.split(), "true"], cwd=project.folder, check=True)


def replayed(emulator: Emulator) -> list[tuple[set[int], set[int | None]]]:
    """The stations, and those that sites are on, after each successful write in the log.

    It starts with what fill_emulator.py makes: station 1, sites 1 and 2 on it.
    """
    stations, on = {1}, {1: 1, 2: 1}
    looks: list[tuple[set[int], set[int | None]]] = []
    for request in emulator.requests:
        method, number = request.method, request.path.rpartition("/")[2]
        if method == "GET" or number == "token":
            continue
        assert request.status in (200, 201, 204)
        if method == "POST":
            stations.add(max(stations) + 1)
        elif method == "PUT":
            on[int(number)] = request.body["monitoring_station_id"]
        else:
            stations.remove(int(number))
        looks.append((set(stations), set(on.values())))
    return looks


def test_sites(emulator: Emulator, tmp_path: Path) -> None:
    """The walk through the README; the log shows that every site always had a station."""
    project = Project("sites", tmp_path, emulator)
    project.type_block(0)
    assert placed(emulator) == {1: 2, 2: 2}
    project.type("pulumi preview --expect-no-changes")

    program = project.folder / "__main__.py"
    program.write_text(program.read_text().replace("central-01", "central-02"))
    before = len(emulator.requests)
    project.type_block(1)
    assert {request.method for request in emulator.requests[before:] if "token" not in request.path} <= {"GET"}
    project.type_block(2)
    assert placed(emulator) == {1: 3, 2: 3}

    project.type_block(3)
    assert [station["external_monitoring_station_id"] for station in emulator.stations()] == ["backup-01"]
    assert placed(emulator) == {1: 1, 2: 1}
    assert replayed(emulator) == [
        ({1, 2}, {1}),
        ({1, 2}, {1, 2}),
        ({1, 2}, {2}),
        ({1, 2, 3}, {2}),
        ({1, 2, 3}, {2, 3}),
        ({1, 2, 3}, {3}),
        ({1, 3}, {3}),
        ({1, 3}, {1, 3}),
        ({1, 3}, {1}),
        ({1}, {1}),
    ]


def violations(printed: str) -> list[str]:
    """The lines below the pack's name, with that name."""
    below = printed.partition("Policies:\n")[2].partition("\n\n")[0]
    return [line.strip() for line in below.splitlines()]


def test_policy(emulator: Emulator, tmp_path: Path) -> None:
    """Up, no change and down with the pack; two stations that break every rule; and other levels and settings.

    The pack is as users have it, except for how it starts; see let_pack_start.
    """
    project = Project("policy", tmp_path, emulator)
    let_pack_start(project.folder / "pack", tmp_path, project.environment)
    project.type_block(0)
    assert "3 unchanged" in project.type("pulumi up --yes --policy-pack pack")
    program = project.folder / "__main__.py"
    kept = program.read_text()
    sent = len(emulator.requests)

    program.write_text(kept + blocks(project.readme, "python")[0])
    printed = project.type_block(1, status=1)
    promised = steps(blocks(project.readme, "console")[1])[1][1]
    assert violations(printed) == [line.strip() for line in promised[promised.index("Policies:") + 1 :]]

    assert (project.folder / "strict.json").read_text() == blocks(project.readme, "json")[0]
    strict = violations(project.type_block(2, status=1))
    assert {line.split()[1] for line in strict if line.startswith("- ")} == {"[mandatory]"}
    assert (
        "Monitoring station 'video-01': its external id does not fit the pattern (central|backup)-[0-9]{2}: choose one "
        "that does."
    ) in strict
    assert len(emulator.requests) == sent

    program.write_text(kept)
    project.type_block(3)
    assert emulator.stations() == []
