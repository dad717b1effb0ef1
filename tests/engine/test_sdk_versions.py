"""Other versions of Pulumi's SDK than the installed one, with which all other tests run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chekt_provider.emulator import Emulator, Fault
from tests.engine.conftest import Stack
from tests.helpers import COLLECTION, NO_ACCESS, anonymous, held, house, placed

ROOT = Path(__file__).parents[2]

ALWAYS = ("3.216.0",)
"""The oldest supported one."""

ASKED_FOR = ("3.259.0", "3.260.0", "3.267.0", "3.268.0")
"""The last that puts words of its own before an error, and the first that answers with a traceback; the last that
passes unknown values as texts, and the first that does not."""

WITH_WORDS_OF_ITS_OWN = ("3.216.0", "3.259.0")

PROGRAM = """
    a = MonitoringStation("a", external_monitoring_station_id="a-01", name="{}")
    SiteAssignment("villa", site_id=1, monitoring_station_id=a.monitoring_station_id)
"""

VERSIONS = ALWAYS + ASKED_FOR if os.environ.get("TEST_SDKS") == "all" else ALWAYS


@pytest.fixture
def environment_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, str]]:
    """Makes a virtual environment with this checkout and one version of the SDK; gives the variables that enter it."""

    def make(version: str) -> dict[str, str]:
        folder = tmp_path_factory.mktemp("sdk")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, str(ROOT), f"pulumi=={version}"], check=True)
        return {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "VIRTUAL_ENV": str(folder)}

    return make


@pytest.mark.acceptance("SDK 3.216, 3.259, 3.260, 3.267, 3.268, latest")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_stack_lives_with_another_sdk(
    emulator: Emulator, stack: Stack, environment_with: Callable[[str], dict[str, str]], version: str
) -> None:
    """Preview, up, no change, rename, an error in our words alone, drift, refresh, repair, destroy.

    It takes a minute for each version: `make test` tries one of them, TEST_SDKS=all tries all.
    """
    stack.environment |= environment_with(version)
    house(emulator, "0001", name="Villa", on=None)
    stack.program(PROGRAM.format("A"))

    # A preview knows the station's number only later; one token serves both kinds of resources.
    assert "+ 3 to create" in stack.pulumi("preview").text
    assert emulator.requests == []
    stack.up()
    assert placed(emulator) == {1: 1}
    assert [r.path for r in emulator.requests].count("/oauth/token") == 1
    stack.up_changes_nothing()

    # A rename, and a creation that is refused in the same run: our line, with no traceback around it.
    stack.program(PROGRAM.format("B") + '    MonitoringStation("b", external_monitoring_station_id="b-01", name="B")')
    emulator.add_fault(Fault(method="POST", path=COLLECTION, status=403))
    (line,) = stack.up("--continue-on-error", status=1).errors
    words_of_the_sdk = "Exception calling application: " if version in WITH_WORDS_OF_ITS_OWN else ""
    assert anonymous(line) == (
        f"error: {words_of_the_sdk}Could not create monitoring station 'b-01' of dealer 12345: CHeKT refused: "
        'forbidden, "a fault of the emulator". Nothing was created. '
        f"{NO_ACCESS} (HTTP 403, trace id T, "
        "request id R)"
    )
    assert held(emulator) == [(1, "a-01", "B", "", "")]

    # A refresh takes drift into the state, and the next up repairs it.
    emulator.edit_station(1, name="Drifted", prefix="DR")
    stack.program(PROGRAM.format("B"))
    assert "~ 1 updated" in stack.pulumi("refresh", "--yes", "--skip-preview").text
    assert stack.stations()["a"]["inputs"]["name"] == "Drifted"
    assert "~ 1 updated" in stack.up().text
    assert held(emulator) == [(1, "a-01", "B", "", "")]

    emulator.edit_site(1, monitoring_station_id=None)
    stack.destroy()
    assert held(emulator) == []
