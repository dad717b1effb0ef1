"""The plan of a roll-out: its waves, and the stacks in each."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from chekt_provider.files.document import Document
from chekt_provider.files.rollout_file import Gates, RolloutFile, read_rollout_file
from chekt_provider.files.yaml_file import BadFileError, BadYamlError, plain_values, read_yaml
from chekt_provider.rollout.sources import file_digest, folder_digest, program_digest
from chekt_provider.settings import decided
from chekt_provider.text import shown

_STACK = re.compile(r"[A-Za-z0-9_.-]+")
_LOGIN = re.compile(r"(?<=//)[^/]*@|(?<=[?&]password=)[^&]*")
"""User name and password in a URL. Who holds a fingerprint and all else in it could try the likely ones."""


@dataclass(frozen=True)
class Wave:
    """Stacks that may be changed at the same time.

    Attributes:
        name: its name.
        stacks: their names, in the order of the alphabet.
        parallel: how many of them are changed at once.
        approval: whether a person must approve before it begins.
        gates: what their previews may show.
    """

    name: str
    stacks: tuple[str, ...]
    parallel: int = 2
    approval: bool = False
    gates: Gates = field(default_factory=Gates)


@dataclass(frozen=True)
class Plan:
    """A whole roll-out.

    Attributes:
        file: rollout.yaml.
        folder: that of the Pulumi project.
        project: the name of that project.
        waves: in their order.
        checkpoints: whether Pulumi writes the state after each resource.
        operator: for Stack resources of Pulumi's Kubernetes Operator.
        deployments: for the settings of Pulumi Deployments.
        left_out: the stacks that have a settings file and are in no wave.
    """

    file: Path
    folder: Path
    project: str
    waves: tuple[Wave, ...]
    checkpoints: bool
    operator: Mapping[str, Any]
    deployments: Mapping[str, Any]
    left_out: tuple[str, ...]

    @property
    def notes(self) -> Path:
        """The folder, beside rollout.yaml, of what a roll-out leaves: its report, what is done, approvals."""
        return self.file.parent / f".{self.file.stem}"

    @property
    def stacks(self) -> tuple[str, ...]:
        """The stacks of all waves."""
        return tuple(stack for wave in self.waves for stack in wave.stacks)

    def wave_alone(self, name: str) -> Plan:
        """The plan of one wave. Raises KeyError where there is none of that name."""
        found = [wave for wave in self.waves if wave.name == name]
        if not found:
            raise KeyError(name)
        return replace(self, waves=tuple(found))

    def shard(self, number: int, of: int) -> Plan:
        """Every `of`-th stack of each wave, from the `number`-th on: together the shards are all stacks, each once."""
        waves = (replace(wave, stacks=wave.stacks[number - 1 :: of]) for wave in self.waves)
        return replace(self, waves=tuple(waves))

    def fingerprints(self, stacks: Iterable[str]) -> dict[str, str]:
        """For each stack, what its program and settings are and where it is, in 16 hexadecimal digits.

        What counts:

        - the files of the project's folder, but for rollout.yaml and the settings of other stacks, and the Python
          modules beside it, as `program_digest` says;
        - what the environment decides of CHeKT's settings, as `decided` says: neither secrets nor how fast calls are;
        - the backend, and the version of this package.
        """
        settings = _stack_files(self.folder)
        theirs = {path.resolve() for path in settings.values()} | {self.file.resolve()}
        main, python_path = str(_project(self.folder).get("main") or ""), os.environ.get("PYTHONPATH", "")
        around = [metadata.version("chekt-provider"), _backend(), decided(os.environ)]
        shared = hashlib.sha256(json.dumps(around).encode())
        shared.update(program_digest(self.folder, main, python_path, theirs))
        return {s: hashlib.sha256(shared.digest() + file_digest(settings[s])).hexdigest()[:16] for s in stacks}

    def token(self, wave: Wave, fingerprints: Mapping[str, str]) -> str:
        """What an approval of a wave must hold: another program, setting, gate or policy pack makes another token."""
        gates = wave.gates.model_dump(exclude={"policies"})
        token = hashlib.sha256(f"{wave.name}\n{gates}\n".encode())
        for pack in wave.gates.policies:
            token.update(folder_digest(Path(pack)))
        for stack in wave.stacks:
            token.update(f"\n{stack} {fingerprints[stack]}".encode())
        return token.hexdigest()[:16]


def read_plan(path: str) -> Plan:
    """Read rollout.yaml and find the stacks that it means.

    A stack is there when its settings file is, Pulumi.<stack>.yaml in the project's folder.

    Args:
        path: the path of rollout.yaml.

    Raises:
        BadFileError: whatever is wrong with it, a line each.
    """
    document = read_rollout_file(path)
    content = document.content
    file = Path(path)
    folder = file.parent / content.project
    if not (folder / "Pulumi.yaml").is_file():
        raise BadFileError(document.problem(("project",), f"project: there is no Pulumi.yaml in {folder}."))
    problems: list[str] = []
    known = sorted(_stack_files(folder))
    if odd := next((stack for stack in known if not _STACK.fullmatch(stack)), None):
        raise BadFileError(
            f"Pulumi.{shown(odd, 100)}.yaml in the project's folder is no stack's: names of stacks are letters, "
            "digits, hyphens, underscores and dots. Rename it, or take it away."
        )
    found = _found(document, known, problems)
    waves = [
        Wave(
            name=entry.name,
            stacks=stacks,
            parallel=entry.parallel or content.parallel,
            approval=entry.approval,
            gates=_gates(document, index, problems),
        )
        for index, (entry, stacks) in enumerate(zip(content.waves, found, strict=True))
    ]
    if problems:
        raise BadFileError("\n".join(problems))
    return Plan(
        file=file,
        folder=folder,
        project=str(_project(folder).get("name", "")),
        waves=tuple(waves),
        checkpoints=content.checkpoints,
        operator=content.operator,
        deployments=content.deployments,
        left_out=tuple(stack for stack in known if not any(stack in wave.stacks for wave in waves)),
    )


def _found(document: Document[RolloutFile], known: list[str], problems: list[str]) -> list[tuple[str, ...]]:
    """The stacks of each wave; a pattern that means none, and a stack that two waves mean, are problems."""
    names: set[str] = set()
    home: dict[str, str] = {}
    found = []
    for index, wave in enumerate(document.content.waves):
        if wave.name in names:
            sentence = f"waves[{index}].name is {wave.name!r}, as another wave's is: give each its own."
            problems.append(document.problem(("waves", index, "name"), sentence))
        names.add(wave.name)
        mine: set[str] = set()
        for number, pattern in enumerate(wave.stacks):
            matching = [stack for stack in known if fnmatch.fnmatchcase(stack, pattern)]
            wrong = [
                f"the stack {stack!r} is in the wave {home[stack]!r} already."
                for stack in matching
                if home.setdefault(stack, wave.name) != wave.name
            ]
            if not matching:
                wrong = [f"there is no Pulumi.{pattern}.yaml in the project's folder."]
            place = ("waves", index, "stacks", number)
            problems += [document.problem(place, f"waves[{index}].stacks[{number}]: {sentence}") for sentence in wrong]
            mine.update(matching)
        found.append(tuple(sorted(mine)))
    return found


def _gates(document: Document[RolloutFile], index: int, problems: list[str]) -> Gates:
    """A wave's gates: its own values in place of the file's; folders of policy packs from here on whole."""
    common, own = document.content.gates, document.content.waves[index].gates
    gates = common.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
    place = ("waves", index, "gates", "policies") if "policies" in own.model_fields_set else ("gates", "policies")
    packs = [Path(document.path).parent / pack for pack in gates.policies]
    for pack in (pack for pack in packs if not (pack / "PulumiPolicy.yaml").is_file()):
        line = document.problem(place, f"policies: there is no PulumiPolicy.yaml in {pack}.")
        if line not in problems:
            problems.append(line)
    return gates.model_copy(update={"policies": tuple(str(pack.resolve()) for pack in packs)})


def _project(folder: Path) -> dict[str, Any]:
    try:
        node = read_yaml(str(folder / "Pulumi.yaml"))
        found = None if node is None else plain_values(node)
    except BadYamlError:
        found = None
    if not isinstance(found, dict):
        raise BadFileError(f"{folder / 'Pulumi.yaml'} is not the YAML of a Pulumi project.")
    return found


def _backend() -> str:
    """Where Pulumi keeps its states, as far as that is known without asking it; no login."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        current = json.loads((home / "credentials.json").read_text("utf-8")).get("current", "")
    except (OSError, ValueError, AttributeError):
        current = ""
    return _LOGIN.sub("", os.environ.get("PULUMI_BACKEND_URL") or str(current))


def _stack_files(folder: Path) -> dict[str, Path]:
    """The settings file of each stack, by the stack's name."""
    place = folder / str(_project(folder).get("stackConfigDir") or ".")
    return {path.name.removeprefix("Pulumi.").rpartition(".")[0]: path for path in place.glob("Pulumi.?*.y*ml")}
