"""rollout.yaml: what it may hold; everything else gets an error."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

import pytest

from chekt_provider.files.rollout_file import Gates
from chekt_provider.files.yaml_file import BadFileError
from chekt_provider.rollout.plan import Plan, Wave, read_plan
from chekt_provider.settings import SETTINGS, VARIABLES, Setting

GOOD = """\
project: stations
parallel: 3
checkpoints: false
gates:
  changes: 20
  policies: [policy]
waves:
  - name: dev
    stacks: [dev]
    gates: {deletes: true}
  - name: production
    stacks: [prod-10, "prod-*"]
    parallel: 4
    approval: true
    gates: {changes: null, policies: []}
operator: {backend: file}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a few stacks, in the folder stations, and a policy pack beside it."""
    (tmp_path / "stations").mkdir()
    (tmp_path / "stations" / "Pulumi.yaml").write_text("name: stations\nruntime: python\n")
    for stack in ("dev", "prod-2", "prod-10", "prod-1"):
        (tmp_path / "stations" / f"Pulumi.{stack}.yaml").write_text(f"config: {{a: {stack}}}\n")
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "PulumiPolicy.yaml").write_text("runtime: python\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(folder: Path, text: str) -> Plan:
    (folder / "rollout.yaml").write_text(text)
    return read_plan("rollout.yaml")


def refused(folder: Path, text: str) -> list[str]:
    """The lines that say what is wrong with a file."""
    with pytest.raises(BadFileError) as error:
        plan(folder, text)
    return str(error.value).splitlines()


def test_a_whole_file(folder: Path) -> None:
    """A wave has the file's gates except its own; patterns mean the stacks that have a settings file, each once."""
    read = plan(folder, GOOD)
    assert read.project == "stations"
    assert read.checkpoints is False
    assert read.operator == {"backend": "file"}
    pack = str(folder / "policy")
    assert read.waves == (
        Wave("dev", ("dev",), 3, approval=False, gates=Gates(deletes=True, changes=20, policies=(pack,))),
        Wave("production", ("prod-1", "prod-10", "prod-2"), 4, approval=True, gates=Gates()),
    )
    assert read.notes == Path(".rollout")


def test_what_is_left_out(folder: Path) -> None:
    """The project is beside the file, two stacks at once, no deletion, no replacement, any number of changes."""
    (folder / "Pulumi.yaml").write_text("name: here\n")
    (folder / "Pulumi.dev.yaml").touch()
    read = plan(folder, "waves: [{name: dev, stacks: [dev]}]\n")
    gates = Gates(deletes=False, replacements=False, changes=None, policies=())
    assert read.waves == (Wave("dev", ("dev",), 2, approval=False, gates=gates),)
    assert (read.folder, read.project, read.checkpoints) == (Path(), "here", True)


def test_stacks_whose_settings_are_in_a_folder_of_their_own(folder: Path) -> None:
    """Pulumi.yaml says so, in stackConfigDir."""
    (folder / "stations" / "Pulumi.yaml").write_text("name: stations\nstackConfigDir: stacks\n")
    (folder / "stations" / "stacks").mkdir()
    (folder / "stations" / "stacks" / "Pulumi.eu.yaml").touch()
    assert plan(folder, 'project: stations\nwaves: [{name: all, stacks: ["*"]}]\n').stacks == ("eu",)


WAVE = "waves: [{name: dev, stacks: [dev]}]\nproject: stations\n"

MISTAKES = {
    "": ["rollout.yaml: holds no `waves:`."],
    "- dev\n": ["rollout.yaml: holds no `waves:`."],
    "waves: [dev\n": [
        "rollout.yaml:1: this is not YAML: a [ that is opened here is not closed, or a comma is missing.",
    ],
    "project: stations\n": [
        "rollout.yaml:1: waves is missing: it is a list of waves, of one at least.",
    ],
    "project: stations\nwaves: []\n": [
        "rollout.yaml:2: waves must be a list of waves, of one at least.",
    ],
    "project: stations\nwaves: dev\n": [
        "rollout.yaml:2: waves must be a list of waves, of one at least.",
    ],
    "project: stations\nwaves:\n  - dev\n": [
        "rollout.yaml:3: waves[0] must be keys with values, such as `name: dev`.",
    ],
    "project: stations\nwaves:\n  - name: Dev\n    stakcs: [dev]\n": [
        "rollout.yaml:3: waves[0].name must be up to 50 lowercase letters, digits and hyphens.",
        'rollout.yaml:3: waves[0].stacks is missing: it is a list of stacks or patterns, such as [dev, "prod-*"]; text '
        "that YAML takes for a number needs quotes.",
        "rollout.yaml:4: waves[0]: 'stakcs' is not a key here; did you mean 'stacks'?",
    ],
    "project: stations\nwaves:\n  - name: dev\n    stacks: [1]\n": [
        'rollout.yaml:4: waves[0].stacks must be a list of stacks or patterns, such as [dev, "prod-*"]; text that YAML '
        "takes for a number needs quotes.",
    ],
    WAVE + "parallel: 0\n": ["rollout.yaml:3: parallel must be a whole number from 1 to 64."],
    WAVE + "parallel: many\n": ["rollout.yaml:3: parallel must be a whole number from 1 to 64."],
    WAVE + "checkpoints: 'no'\n": ["rollout.yaml:3: checkpoints must be true or false."],
    WAVE + "gates: 20\n": ["rollout.yaml:3: gates must be keys with values, such as `changes: 20`."],
    WAVE + "gates:\n  changes: -1\n": ["rollout.yaml:4: gates.changes must be a whole number of 0 or more."],
    WAVE + "gates:\n  deletions: true\n": [
        "rollout.yaml:4: gates: 'deletions' is not a key here; did you mean 'deletes'?",
    ],
    WAVE + "gates:\n  xyz: true\n": [
        "rollout.yaml:4: gates: 'xyz' is not a key here: there are deletes, replacements, changes, policies.",
    ],
    WAVE + "gates:\n  policies: [none]\n": ["rollout.yaml:4: policies: there is no PulumiPolicy.yaml in none."],
    "waves: [{name: a, stacks: [dev]}, {name: b, stacks: [prod-1]}]\nproject: stations\ngates:\n  policies: [none]\n": [
        "rollout.yaml:4: policies: there is no PulumiPolicy.yaml in none."
    ],
    "project: stations\nwaves:\n- name: a\n  stacks: [dev]\n  gates:\n    policies: [none]\n": [
        "rollout.yaml:6: policies: there is no PulumiPolicy.yaml in none."
    ],
    WAVE + "parallel: 2\nparallel: 3\n": [
        "rollout.yaml:4: parallel is there already, in line 3: take one of them out.",
    ],
    "project: stations\nwaves:\n- name: a\n  stacks: [dev]\n  approval: true\n  approval: false\n": [
        "rollout.yaml:6: waves[0].approval is there already, in line 5: take one of them out.",
    ],
    WAVE + "wavs: []\n": [
        "rollout.yaml:3: 'wavs' is not a key here; did you mean 'waves'?",
    ],
    WAVE + "1: 2\noperator:\n  <<: {}\n  a: 2026-01-02\n": [
        "rollout.yaml:3: 1 is a key that YAML takes for no word: put it in quotes.",
        "rollout.yaml:5: operator.<< merges keys, which is not taken: write them out.",
        'rollout.yaml:6: operator.a is 2026-01-02, which YAML takes for a date: put it in quotes, "2026-01-02".',
    ],
    WAVE + "operator: &a {x: *a}\n": ["rollout.yaml: holds an alias of itself, or a tag: write the values out."],
    WAVE + "operator: !foo 1\n": ["rollout.yaml: holds an alias of itself, or a tag: write the values out."],
    WAVE + "operator: !!int x\n": ["rollout.yaml: holds an alias of itself, or a tag: write the values out."],
    "project: nowhere\nwaves: [{name: dev, stacks: [dev]}]\n": [
        "rollout.yaml:1: project: there is no Pulumi.yaml in nowhere.",
    ],
    "project: stations\nwaves:\n- name: a\n  stacks:\n  - dev\n  - test\n- name: a\n  stacks: [prod-1]\n"
    "- name: c\n  stacks: ['prod-*']\n": [
        "rollout.yaml:6: waves[0].stacks[1]: there is no Pulumi.test.yaml in the project's folder.",
        "rollout.yaml:7: waves[1].name is 'a', as another wave's is: give each its own.",
        "rollout.yaml:10: waves[2].stacks[0]: the stack 'prod-1' is in the wave 'a' already.",
    ],
}


@pytest.mark.parametrize(("text", "lines"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_each_mistake_is_told_with_its_line(folder: Path, text: str, lines: list[str]) -> None:
    """All of them at once, in the order of the file."""
    assert refused(folder, text) == lines


@pytest.mark.parametrize("content", ["name: [", "- a", "", b"\xff"], ids=range(4))
def test_a_project_file_that_is_none(folder: Path, content: str | bytes) -> None:
    """The error names its path."""
    file = folder / "stations" / "Pulumi.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refused(folder, WAVE) == ["stations/Pulumi.yaml is not the YAML of a Pulumi project."]


MULTIPLIED = "\n".join(["  x0: &x0 a", *(f"  x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 12)), ""])
"""Nine times nine times nine … in half a kilobyte."""


def test_aliases_that_multiply_are_refused(folder: Path) -> None:
    """They fail at once, in the file and in the project's: nothing follows what they stand for."""
    assert refused(folder, f"{WAVE}operator:\n{MULTIPLIED}") == [
        "rollout.yaml: holds more than 500,000 keys and values through aliases: write the values out."
    ]
    (folder / "stations" / "Pulumi.yaml").write_text(f"name: stations\nconfig:\n{MULTIPLIED}")
    assert refused(folder, WAVE) == ["stations/Pulumi.yaml is not the YAML of a Pulumi project."]


def test_brackets_without_end_are_refused(folder: Path) -> None:
    """A hundred thousand of them, in the file and in the project's."""
    brackets = "operator: " + "[" * 100_000
    assert refused(folder, brackets) == ["rollout.yaml: nests lists and keys more than 20 deep."]
    (folder / "stations" / "Pulumi.yaml").write_text(brackets)
    assert refused(folder, WAVE) == ["stations/Pulumi.yaml is not the YAML of a Pulumi project."]


def test_a_pipe_is_no_file(folder: Path) -> None:
    """Reading it would wait forever."""
    os.mkfifo(folder / "pipe.yaml")
    with pytest.raises(BadFileError) as error:
        read_plan("pipe.yaml")
    assert str(error.value) == "pipe.yaml: is not a file."


def test_stacks_that_no_wave_means_are_known(folder: Path) -> None:
    """A settings file with a wrong name does not go unnoticed."""
    assert plan(folder, WAVE).left_out == ("prod-1", "prod-10", "prod-2")


def test_a_file_that_is_not_there(folder: Path) -> None:
    """The error says so, and where paths begin."""
    with pytest.raises(BadFileError) as error:
        read_plan("none.yaml")
    assert str(error.value) == f"none.yaml: there is no such file; relative paths begin at {folder}."


def test_the_shards_of_a_wave_are_all_of_it_and_each_stack_once(folder: Path) -> None:
    """Each wave is split by itself; a machine may have nothing to do."""
    whole = plan(folder, GOOD).wave_alone("production")
    shards = [whole.shard(number, 4).stacks for number in (1, 2, 3, 4)]
    assert shards == [("prod-1",), ("prod-10",), ("prod-2",), ()]
    with pytest.raises(KeyError):
        whole.wave_alone("dev")


def test_a_fingerprint_tells_whether_a_stack_has_to_be_rolled_out_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program, its own settings, the backend and CHeKT's host count.

    rollout.yaml, hidden files, other stacks, state and caches do not, nor the ports of an emulator.
    """
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///one")
    monkeypatch.setenv("CHEKT_BASE_URL", "http://127.0.0.1:1111")
    monkeypatch.setenv("CHEKT_TOKEN_URL", "http://127.0.0.1:1111/oauth/token")
    read = plan(folder, GOOD)
    project = folder / "stations"
    before = read.fingerprints(read.stacks)
    assert len(set(before.values())) == 4

    (project / ".env").write_text("x")
    for name in ("__pycache__/a.pyc", "venv/pyvenv.cfg", "state/.pulumi/meta.yaml"):
        (project / name).parent.mkdir(parents=True)
        (project / name).write_text("x")
    (folder / "rollout.yaml").write_text(GOOD + "# x\n")
    monkeypatch.setenv("CHEKT_BASE_URL", "http://127.0.0.1:2222")
    monkeypatch.setenv("CHEKT_TOKEN_URL", "http://localhost:2222/oauth/token")
    assert read.fingerprints(read.stacks) == before

    (project / "Pulumi.dev.yaml").write_text("config: {a: b}\n")
    after = read.fingerprints(read.stacks)
    assert [stack for stack in before if after[stack] != before[stack]] == ["dev"]

    for name, value in (("PULUMI_BACKEND_URL", "s3://states"), ("CHEKT_BASE_URL", "https://api.chektdev.com")):
        monkeypatch.setenv(name, value)
        elsewhere = read.fingerprints(read.stacks)
        assert all(elsewhere[stack] != after[stack] for stack in after)
        after = elsewhere

    for name in ("names.py", "shared/stations.py"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("x")
        changed = read.fingerprints(read.stacks)
        assert all(changed[stack] != after[stack] for stack in after)
        after = changed


def test_a_fingerprint_knows_the_backend_that_somebody_logged_in_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the environment names none, it is the one of `pulumi login`."""
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(folder / "home"))
    (folder / "home").mkdir()
    read = plan(folder, GOOD)
    seen = [read.fingerprints(["dev"])]
    for content in ('{"current": "s3://one"}', '{"current": "s3://two"}', "{"):
        (folder / "home" / "credentials.json").write_text(content)
        seen.append(read.fingerprints(["dev"]))
    assert seen[3] == seen[0]
    assert seen[0] != seen[1] != seen[2] != seen[0]


def test_an_approval_is_of_what_was_looked_at(folder: Path) -> None:
    """Another program, other settings of one of its stacks, another gate or policy pack give another token."""
    read = plan(folder, GOOD)
    prints = read.fingerprints(read.stacks)
    dev, production = read.waves
    token = read.token(production, prints)
    assert token == read.token(production, prints)
    looser = Wave("production", production.stacks, gates=Gates(deletes=True))
    others = {read.token(dev, prints), read.token(production, {**prints, "prod-2": "x"}), read.token(looser, prints)}
    assert len(others | {token}) == 4
    before = read.token(dev, prints)
    (folder / "policy" / "__main__.py").write_text("x")
    assert read.token(dev, prints) != before


def approval(folder: Path) -> str:
    """What an approval of the wave production must hold; it stays the same if nothing changes."""
    tokens = set()
    for read in (plan(folder, GOOD), plan(folder, GOOD)):
        tokens.add(read.token(read.waves[1], read.fingerprints(read.stacks)))
    (token,) = tokens
    return token


HOW = ("CHEKT_CLIENT_SECRET", "CHEKT_PRIVATE_KEY", "CHEKT_REQUESTS_PER_MINUTE", "CHEKT_TRACE_ID")


@pytest.mark.parametrize("variable", [*VARIABLES.values(), "CHEKT_NEW"])
def test_an_approval_is_of_what_the_environment_decides(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Every setting that says what is done counts: set, changed and taken away, and any new one too.

    The secret, the pace and the trace id of the calls do not count.
    """
    monkeypatch.setitem(SETTINGS, "chekt:new", Setting("CHEKT_NEW", "A setting of tomorrow."))
    before = approval(folder)
    seen = {before}
    for value in ("1", "2"):
        monkeypatch.setenv(variable, value)
        seen.add(approval(folder))
    assert len(seen) == (1 if variable in HOW else 3)
    monkeypatch.setenv(variable, "")
    assert approval(folder) == before


@pytest.mark.parametrize("url", ["https://{}@api.chektdev.com", "https://{}@[api.chektdev.com"])
def test_a_login_in_an_url_is_in_no_fingerprint(folder: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """It is left out of CHeKT's URLs, which refuse it, and of the backend's: whoever has the rest could guess it."""
    for variable in ("CHEKT_BASE_URL", "PULUMI_BACKEND_URL"):
        seen = set()
        for login in ("user:one", "user:two"):
            monkeypatch.setenv(variable, url.format(login))
            seen.add(approval(folder))
        assert len(seen) == 1
    monkeypatch.setenv("PULUMI_BACKEND_URL", "postgres://db/states?password=one&sslmode=require")
    one = approval(folder)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "postgres://db/states?password=two&sslmode=require")
    assert approval(folder) == one
    monkeypatch.setenv("PULUMI_BACKEND_URL", "postgres://db/others?password=two&sslmode=require")
    assert approval(folder) != one


def changes(folder: Path, *names: str) -> list[str]:
    """Of these files those that count: a new one, new content."""
    counting = []
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        seen = {approval(folder)}
        for content in ("A = 1\n", "A = 2\n"):
            file.write_text(content)
            seen.add(approval(folder))
        assert len(seen) in (1, 3), name
        counting += [name] * (len(seen) == 3)
    return counting


@pytest.mark.parametrize("git", ["folder", "file"])
def test_an_approval_is_of_the_modules_of_the_repository(folder: Path, git: str) -> None:
    """All *.py files of the repository around the project's folder count; in a worktree .git is a file.

    Hidden ones do not count, nor what is installed or is no module, nor anything outside the repository.
    """
    repository = folder / "stations"
    (repository / "infra").mkdir()
    for file in list(repository.glob("Pulumi*")):
        file.rename(repository / "infra" / file.name)
    (repository / ".git").touch() if git == "file" else (repository / ".git").mkdir()
    (repository / "venv").mkdir()
    (repository / "venv" / "pyvenv.cfg").touch()
    text = GOOD.replace("project: stations", "project: stations/infra")

    tokens = []
    for name in ("common.py", "shared/deep/names.py"):
        for content in ("A = 1\n", "A = 2\n"):
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            (repository / name).write_text(content)
            read = plan(folder, text)
            tokens.append(read.token(read.waves[1], read.fingerprints(read.stacks)))
    assert len(set(tokens)) == 4

    for name in (
        ".hidden/a.py",
        ".venv/a.py",
        ".a.py",
        "node_modules/a/a.py",
        "lib/site-packages/a.py",
        "venv/lib/a.py",
        "shared/__pycache__/a.py",
        "README.md",
        "../beside.py",
    ):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text("x")
    read = plan(folder, text)
    assert read.token(read.waves[1], read.fingerprints(read.stacks)) == tokens[-1]


@pytest.mark.parametrize("main", ["../other/program", "../other/program/start.py", "{folder}/other/program", "link"])
def test_an_approval_is_of_the_program_that_main_names(folder: Path, main: str) -> None:
    """If it is outside the project's folder, the files of its folder count like the project's own.

    So do the modules of its repository, which may not be the project's.
    """
    program = folder / "other" / "program"
    program.mkdir(parents=True)
    (program / "start.py").touch()
    (folder / "stations" / "link").symlink_to(program)
    (folder / "stations" / "Pulumi.yaml").write_text(f"name: stations\nmain: {main.format(folder=folder)}\n")
    names = ["other/program/__main__.py", "other/program/stations.yaml", "other/program/lib/a.py"]
    assert changes(folder, *names, "other/beside.py", "other/program/.env") == names
    (folder / "other" / ".git").mkdir()
    assert changes(folder, "other/beside.py", "other/beside.yaml", "beside.py") == ["other/beside.py"]


def test_a_program_around_the_project_counts_without_the_settings_of_stacks(folder: Path) -> None:
    """`main: ..` names a folder that holds rollout.yaml and the project: what does not count there still does not."""
    (folder / "stations" / "Pulumi.yaml").write_text("name: stations\nmain: ..\n")
    assert changes(folder, "__main__.py", "data/stations.yaml") == ["__main__.py", "data/stations.yaml"]
    read = plan(folder, GOOD)
    before = read.fingerprints(read.stacks)
    (folder / "stations" / "Pulumi.dev.yaml").write_text("config: {a: b}\n")
    (folder / "rollout.yaml").write_text(GOOD + "# x\n")
    after = read.fingerprints(read.stacks)
    assert [stack for stack in before if after[stack] != before[stack]] == ["dev"]


def test_an_approval_is_of_the_modules_on_pythonpath(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The *.py files of each entry count, an archive as a whole, and the order.

    A relative entry begins at the program's folder, where Pulumi starts it.
    """
    monkeypatch.setenv("PYTHONPATH", f"{folder / 'one'}:../two::../three.zip:{folder / 'site-packages'}:/none")
    names = ("one/a.py", "two/lib/b.py", "three.zip", "site-packages/c.py")
    for name in ("stations/program", "one", "two"):
        (folder / name).mkdir()
    assert changes(folder, *names, "one/a.txt", "one/node_modules/a.py", "elsewhere/a.py") == [*names]
    one, two = (f"{folder / 'one'}:../two", f"../two:{folder / 'one'}")
    monkeypatch.setenv("PYTHONPATH", one)
    before = approval(folder)
    monkeypatch.setenv("PYTHONPATH", two)
    assert approval(folder) != before

    (folder / "linked").mkdir()
    (folder / "one" / "linked").symlink_to(folder / "linked")
    (folder / "stations" / "Pulumi.yaml").write_text("name: stations\nmain: program\n")
    monkeypatch.setenv("PYTHONPATH", "../../one")
    assert changes(folder, "linked/a.py") == ["linked/a.py"]


def test_links_in_circles_end(folder: Path) -> None:
    """Each folder is read once; the target of a link counts, and a broken one is nothing."""
    project = folder / "stations"
    (folder / ".git").mkdir()
    before = approval(folder)
    (project / "broken").symlink_to("nowhere")
    (project / "itself").symlink_to("itself")
    assert approval(folder) == before
    for name in ("a", "b", "c"):
        (project / name).mkdir()
        (project / name / "up").symlink_to("..")
        (project / name / "root").symlink_to(folder)
        (folder / name).symlink_to("stations")
    assert changes(folder, "stations/a/x.py", "beside.py") == ["stations/a/x.py", "beside.py"]
    before = approval(folder)
    (project / "c" / "up").unlink()
    (project / "c" / "up").symlink_to("../b")
    assert approval(folder) != before


def test_a_link_of_a_repository_is_not_followed_and_counts(folder: Path) -> None:
    """Otherwise a link to / would bring in the whole machine."""
    (folder / "stations" / ".git").mkdir()
    (folder / "stations" / "infra").mkdir()
    for file in list((folder / "stations").glob("Pulumi*")):
        file.rename(folder / "stations" / "infra" / file.name)
    link = folder / "stations" / "link"
    text = GOOD.replace("project: stations", "project: stations/infra")
    read = plan(folder, text)
    seen = [read.fingerprints(read.stacks)]
    for target in ("/", folder):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        seen.append(read.fingerprints(read.stacks))
    (folder / "outside.py").touch()
    assert read.fingerprints(read.stacks) == seen[2]
    assert seen[0] != seen[1] != seen[2] != seen[0]


def test_an_approval_is_of_the_version_of_this_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version may do something else with the same program."""
    before = approval(folder)
    monkeypatch.setattr(metadata, "version", {"chekt-provider": "99.0"}.__getitem__)
    assert approval(folder) != before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Pulumi.\x1b[31m.yaml", r"Pulumi.\u001b[31m.yaml"),
        ("Pulumi.a\n::error::b.yaml", "Pulumi.a ::error::b.yaml"),
        ("Pulumi.a b.yaml", "Pulumi.a b.yaml"),
    ],
)
def test_a_settings_file_that_is_no_stack_s_is_refused(folder: Path, name: str, said: str) -> None:
    """Its name could steer a terminal, or give a CI runner a command; it is shown on one line."""
    (folder / "stations" / name).touch()

    assert refused(folder, GOOD) == [
        f"{said} in the project's folder is no stack's: names of stacks are letters, digits, hyphens, underscores and "
        "dots. Rename it, or take it away."
    ]
