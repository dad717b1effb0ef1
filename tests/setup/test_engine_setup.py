"""Where the Pulumi engine comes from; a broken or half-made one is never used."""

import errno
import os
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.setup.machine import INSTALLER, Machine, timeless
from tools.engine.install import fetch
from tools.steps import SetupError

REFUSED = f"[Errno {errno.ECONNREFUSED}] Connection refused"  # the number differs between systems
BY_HAND = (
    " Install Pulumi 3.230 or newer by hand (https://www.pulumi.com/docs/iac/download-install/) and run this again.\n"
)
BUILT = ["build pulumi", "build language-python", "list pulumi", "list pulumi", "list language-python"]


def test_an_engine_on_path_that_is_new_enough_is_used(machine: Machine, unreachable: str) -> None:
    """Version 3.230 and newer: nothing is downloaded, built or linked."""
    machine.add_pulumi("v3.230.0")

    done = machine.set_up_engine(unreachable)

    assert (done.returncode, done.stderr) == (0, f"The Pulumi engine is in {machine.bin}.\n")
    assert machine.engines() == []
    assert not (machine.checkout / ".engine").exists()


def test_an_engine_is_built_where_nothing_else_is_to_be_had(machine: Machine, unreachable: str) -> None:
    """Both programs are built, the launchers lie beside them, and the checkout points there."""
    machine.add_go()

    done = machine.set_up_engine(unreachable)

    assert done.returncode == 0, done.stderr
    assert machine.calls == BUILT
    assert machine.engine.parent == machine.cache
    assert machine.engine.name.startswith("v3.250.0-")
    assert sorted(path.name for path in machine.engine.iterdir() if os.access(path, os.X_OK)) == [
        "pulumi",
        "pulumi-analyzer-policy-python",
        "pulumi-language-python",
        "pulumi-language-python-exec",
        "pulumi-resource-pulumi-python",
    ]
    assert machine.engines() == [machine.engine.name]


def test_a_build_says_first_how_long_it_takes(machine: Machine, unreachable: str) -> None:
    """The first line names the version, the place, the reason and the time; later ones show the progress."""
    machine.add_go()

    lines = timeless(machine.set_up_engine(unreachable).stderr).splitlines()

    assert lines[0] == (
        f"Setting up the Pulumi engine v3.250.0 in {machine.engine}, since there is no `pulumi` on PATH."
        " A minute by download; where it has to be built, 5 minutes on two cores and 1.7 GB of downloads."
        " Once for this user."
    )
    assert lines[1] == f"{unreachable} cannot be read ({REFUSED})"
    assert lines[2:] == [
        "Building pulumi ...",
        "Building pulumi: done after N s",
        "Building pulumi-language-python ...",
        "Building pulumi-language-python: done after N s",
        f"The Pulumi engine is in {machine.engine}.",
    ]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\necho v3.229.9\n", "{pulumi} is 3.229, older than 3.230"),
        ("#!/bin/sh\necho v2.300.0\n", "{pulumi} is 2.300, older than 3.230"),
        ("#!/bin/sh\nexit 1\n", "`{pulumi} version` does not answer with a version"),
        ("#!/bin/sh\necho hello\n", "`{pulumi} version` does not answer with a version"),
        ("#!/nowhere/sh\n", "`{pulumi} version` does not answer with a version"),
    ],
)
def test_an_engine_on_path_that_will_not_do_is_left_alone(
    machine: Machine, unreachable: str, script: str, reason: str
) -> None:
    """Too old or broken: another one is built instead, and the first line says why."""
    machine.add_pulumi("v3.250.0")
    pulumi = machine.add("pulumi", script)
    machine.add_go()

    done = machine.set_up_engine(unreachable)

    assert f", since {reason.format(pulumi=pulumi)}. A minute" in done.stderr.splitlines()[0]
    assert (machine.engine / "pulumi").exists()
    assert pulumi.read_text() == script


def test_an_engine_on_path_without_its_language_host_will_not_do(machine: Machine, unreachable: str) -> None:
    """`pulumi` alone cannot run a Python program."""
    machine.add_pulumi("v3.250.0", programs=("pulumi",))
    machine.add_go()

    done = machine.set_up_engine(unreachable)

    assert f"{machine.bin / 'pulumi'} has no pulumi-language-python beside it" in done.stderr.splitlines()[0]
    assert (machine.engine / "pulumi").exists()


def test_companions_are_found_beside_the_program_that_a_link_on_path_points_to(
    machine: Machine, unreachable: str, tmp_path: Path
) -> None:
    """Package managers put a link on PATH and keep the programs together elsewhere."""
    machine.add_pulumi("v3.250.0")
    kept = tmp_path / "kept"
    shutil.copytree(machine.bin, kept, symlinks=True)
    for program in machine.bin.glob("pulumi*"):
        program.unlink()
    (machine.bin / "pulumi").symlink_to(kept / "pulumi")

    done = machine.set_up_engine(unreachable)

    assert (done.returncode, done.stderr) == (0, f"The Pulumi engine is in {machine.bin}.\n")


def test_a_second_checkout_finds_the_first_ones_engine(machine: Machine, unreachable: str) -> None:
    """The cache is the user's: a new checkout builds nothing."""
    machine.add_go()
    machine.set_up_engine(unreachable)
    (machine.checkout / ".engine").unlink()

    again = machine.set_up_engine(unreachable)

    assert (again.returncode, again.stderr) == (0, f"The Pulumi engine is in {machine.engine}.\n")
    assert machine.calls == BUILT


def test_our_own_engine_on_path_is_not_taken_for_the_users(machine: Machine, unreachable: str) -> None:
    """In a shell of `make env` the cached engine is on PATH: a set-up there still links it to the checkout."""
    machine.add_go()
    machine.set_up_engine(unreachable)
    machine.environ["PATH"] = f"{machine.engine}:{machine.bin}"
    (machine.checkout / ".engine").unlink()

    machine.set_up_engine(unreachable)

    assert machine.engine.parent == machine.cache


def test_other_go_sums_make_another_engine(machine: Machine, unreachable: str) -> None:
    """The cache key covers what goes into a build, so two versions of this project do not share an engine."""
    machine.add_go()
    machine.set_up_engine(unreachable)
    first = machine.engine
    with (machine.checkout / "tools/engine/pulumi/go.sum").open("a") as sums:
        sums.write("example.com/more v1.0.0 h1:AAAA\n")

    machine.set_up_engine(unreachable)

    assert machine.engine != first
    assert machine.engines() == sorted([first.name, machine.engine.name])


def test_the_cache_follows_xdg_cache_home(machine: Machine, unreachable: str, tmp_path: Path) -> None:
    """Engines go to an absolute XDG_CACHE_HOME."""
    machine.add_go()
    machine.environ["XDG_CACHE_HOME"] = str(tmp_path / "elsewhere")

    machine.set_up_engine(unreachable)

    assert machine.engine.parent == tmp_path / "elsewhere" / "chekt-provider" / "engine"


def test_the_users_go_settings_do_not_reach_the_build(machine: Machine, unreachable: str) -> None:
    """The user's GOFLAGS or workspace would change what is built, or break it."""
    machine.add_go()
    machine.environ.update(GOFLAGS="-mod=mod", GOWORK="/somewhere/go.work", CGO_ENABLED="1")

    machine.set_up_engine(unreachable)

    assert Path(f"{machine.environ['CALLS']}.settings").read_text() == (
        "CGO_ENABLED=0 GOFLAGS=-mod=readonly -trimpath -buildvcs=false GOWORK=off\n"
    )


def test_the_installer_is_used_where_it_answers(machine: Machine, serve: Callable[[str], str]) -> None:
    """It gets a pinned version and a folder of ours, and may not touch the shell's profile; nothing is built."""
    machine.add_go()

    done = machine.set_up_engine(serve(INSTALLER))

    assert done.returncode == 0, done.stderr
    [call] = machine.calls
    before, root, after = call.partition(f"{machine.cache}/{machine.engine.name}.")
    assert before == "install.sh --no-edit-path --install-root "
    assert root
    assert after.endswith(".half-made/installed --version 3.250.0")
    assert (machine.engine / "pulumi").exists()
    assert [path.name for path in machine.home.iterdir()] == [".cache"]


def test_an_installer_that_fails_is_followed_by_a_build(machine: Machine, serve: Callable[[str], str]) -> None:
    """Its output is shown, and the set-up goes on."""
    machine.add_go()

    done = machine.set_up_engine(serve("#!/bin/sh\necho no such release\nexit 1\n"))

    assert (
        "Installing pulumi failed (exit status 1)\nThe last lines of its output:\n    no such release\n" in done.stderr
    )
    assert machine.calls == BUILT
    assert (machine.engine / "pulumi").exists()


def test_an_installer_whose_engine_does_not_run_is_followed_by_a_build(
    machine: Machine, serve: Callable[[str], str]
) -> None:
    """It may be for another kind of machine."""
    machine.add_go()
    installer = serve(INSTALLER.replace("echo v3.250.0", "exit 1"))

    done = machine.set_up_engine(installer)

    assert f"\nthe engine that {installer} installs does not run\n" in done.stderr
    assert machine.calls[1:] == BUILT


def test_a_page_in_the_installers_place_is_not_run(serve: Callable[[str], str]) -> None:
    """A network's log-in page answers with HTML."""
    installer = serve("<html>log in</html>")

    with pytest.raises(SetupError) as failure:
        fetch(installer)

    assert str(failure.value) == f"{installer} answers with something that is not a script"


def test_an_installer_that_does_not_answer_is_not_waited_for() -> None:
    """A host that takes the connection and says nothing costs the time-out."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        installer = f"http://127.0.0.1:{silent.getsockname()[1]}/install.sh"

        with pytest.raises(SetupError) as failure:
            fetch(installer, seconds=0.05)

    assert str(failure.value) == f"{installer} cannot be read (timed out)"


def test_where_everything_is_absent_one_sentence_says_so(machine: Machine, unreachable: str) -> None:
    """It says what was tried, and what to do by hand."""
    done = machine.set_up_engine(unreachable)

    assert done.returncode == 1
    assert done.stderr.splitlines(keepends=True)[-1] == (
        "No Pulumi engine: there is no `pulumi` on PATH;"
        f" {unreachable} cannot be read ({REFUSED});"
        " there is no `go` on PATH to build one with." + BY_HAND
    )
    assert machine.engines() == []


def test_a_build_that_fails_shows_the_end_of_what_go_said(machine: Machine, unreachable: str) -> None:
    """The sentence comes first, then the last twenty lines; nothing half-made stays."""
    machine.add_go("#!/bin/sh\nfor i in 1 2 3; do echo line $i; done\nexit 7\n")

    done = machine.set_up_engine(unreachable)

    assert done.returncode == 1
    assert done.stderr.endswith(
        "No Pulumi engine: there is no `pulumi` on PATH;"
        f" {unreachable} cannot be read ({REFUSED});"
        " Building pulumi failed (exit status 7)." + BY_HAND + "The last lines of its output:\n"
        "    line 1\n    line 2\n    line 3\n"
    )
    assert machine.engines() == []


def test_a_build_that_does_not_run_is_not_kept(machine: Machine, unreachable: str) -> None:
    """What Go has built must tell a version before it gets its name."""
    machine.add_go(
        "#!/bin/sh\nif [ $1 = list ]; then echo $SDK; fi\nwhile [ $# -gt 0 ] && [ $1 != -o ]; do shift; done\n"
    )

    done = machine.set_up_engine(unreachable)

    assert "; the engine that Go builds does not run." + BY_HAND in done.stderr
    assert machine.engines() == []


def test_a_cache_that_cannot_be_written_is_named(machine: Machine, unreachable: str) -> None:
    """One line, no traceback."""
    machine.home.joinpath(".cache").write_text("a file in the cache's place")

    done = machine.set_up_engine(unreachable)

    assert (done.returncode, done.stderr) == (1, f"[Errno 20] Not a directory: '{machine.cache}'\n")


def test_a_killed_build_is_never_used_and_is_cleaned_up(machine: Machine, unreachable: str) -> None:
    """SIGKILL in the middle of a build; the next run starts again and leaves one whole engine."""
    machine.add_go()
    hold = machine.hold()
    with machine.start_engine_setup(unreachable) as killed:
        hold.wait()
        killed.kill()
    [half_made] = machine.engines()
    assert half_made.endswith(".half-made")
    assert not (machine.checkout / ".engine").exists()
    machine.environ["HOLD"] = ""

    done = machine.set_up_engine(unreachable)

    assert done.returncode == 0, done.stderr
    assert machine.engines() == [machine.engine.name]
    assert machine.calls == ["build pulumi", *BUILT]
    hold.release()  # the killed run's compiler, which nobody stopped


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_build_ends_with_one_line(machine: Machine, unreachable: str, ending: signal.Signals) -> None:
    """Ctrl-C, a termination, a closed terminal: the compiler is stopped too, and nothing half-made stays."""
    machine.add_go()
    hold = machine.hold()
    with machine.start_engine_setup(unreachable) as interrupted:
        compiler = hold.wait()
        interrupted.send_signal(ending)
        _, err = interrupted.communicate()

    assert interrupted.returncode == 130
    assert timeless(err).endswith(
        "Building pulumi: stopped after N s\nStopped before the set-up was ready. The same command starts it again.\n"
    )
    assert machine.engines() == []
    with pytest.raises(ProcessLookupError):
        os.kill(compiler, 0)


def test_two_runs_at_once_build_once(machine: Machine, unreachable: str) -> None:
    """The second says that it waits, and then uses what the first has made."""
    machine.add_go()
    hold = machine.hold()
    with machine.start_engine_setup(unreachable) as first:
        hold.wait()
        with machine.start_engine_setup(unreachable) as second:
            assert second.stderr is not None
            waiting = second.stderr.readline()
            hold.release()
            hold.wait()  # the second program
            hold.release()
            first.communicate()
            rest = second.stderr.read()

    assert waiting == "Another run is setting up the Pulumi engine; waiting for it.\n"
    assert rest == f"The Pulumi engine is in {machine.engine}.\n"
    assert (first.returncode, second.returncode) == (0, 0)
    assert machine.calls == BUILT


def test_an_engine_that_lost_a_program_is_made_again(machine: Machine, unreachable: str) -> None:
    """A cache cleaner may take single files."""
    machine.add_go()
    machine.set_up_engine(unreachable)
    (machine.engine / "pulumi-language-python").unlink()

    done = machine.set_up_engine(unreachable)

    assert done.returncode == 0, done.stderr
    assert (machine.engine / "pulumi-language-python").exists()
    assert machine.calls == BUILT + BUILT
