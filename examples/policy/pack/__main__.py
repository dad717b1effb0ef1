"""A policy pack: the rules that every stack of monitoring stations keeps, a line for each violation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

STATION = "pulumi-python:dynamic/chekt:MonitoringStation"
LINECARDS = Path(__file__).resolve().parent / "linecards.yaml"


@dataclass(frozen=True)
class Station:
    """What the rules know of a monitoring station; prefix and linecard are "" when unset."""

    urn: str
    external_id: str
    prefix: str = ""
    linecard: str = ""

    @property
    def stack(self) -> str:
        """The stack's name, from the URN: urn:pulumi:STACK::PROJECT::TYPE::NAME."""
        return self.urn.split("::")[0].removeprefix("urn:pulumi:")


@dataclass(frozen=True)
class Violation:
    """One line for the person at the terminal, and the resource that it is about."""

    urn: str
    line: str


# The rules for one station: each gives the line of its violation, or None.


def external_id_pattern(station: Station, pattern: str) -> str | None:
    """The whole external id fits a regular expression."""
    if re.fullmatch(pattern, station.external_id):
        return None
    return (
        f"Monitoring station {station.external_id!r}: its external id does not fit the pattern {pattern}: "
        "choose one that does."
    )


def linecard_documented(station: Station, documented: Collection[str]) -> str | None:
    """A linecard that is set is one of those in linecards.yaml."""
    if not station.linecard or station.linecard in documented:
        return None
    return (
        f"Monitoring station {station.external_id!r}: its linecard {station.linecard!r} is not in {LINECARDS.name}: "
        "describe it there, or correct it."
    )


def protected_in_production(station: Station, protected: bool, production: str) -> str | None:
    """In a stack whose whole name fits the regular expression `production`, a station is protected."""
    if protected or not re.fullmatch(production, station.stack):
        return None
    return (
        f"Monitoring station {station.external_id!r}: it is not protected, and stack {station.stack!r} is production: "
        "pass opts=pulumi.ResourceOptions(protect=True)."
    )


# The rules for all stations of a stack.


def one_prefix(stations: Iterable[Station]) -> Iterator[Violation]:
    """Every station that has a prefix has the one that most of them have."""
    prefixed = sorted((s for s in stations if s.prefix), key=lambda s: s.external_id)
    counts = Counter(s.prefix for s in prefixed)
    usual = max(prefixed, key=lambda s: counts[s.prefix], default=None)
    for station in prefixed:
        if usual and station.prefix != usual.prefix:
            line = (
                f"Monitoring station {station.external_id!r}: its prefix is {station.prefix!r}, and that of "
                f"{usual.external_id!r} in the same stack {usual.prefix!r}: give both the same prefix, or each a stack "
                "of its own."
            )
            yield Violation(station.urn, line)


def prefix_and_linecard_unique(stations: Iterable[Station]) -> Iterator[Violation]:
    """No two stations have the same linecard with the same prefix; any number may lack a linecard."""
    first: dict[tuple[str, str], Station] = {}
    for station in sorted((s for s in stations if s.linecard), key=lambda s: s.external_id):
        other = first.setdefault((station.prefix, station.linecard), station)
        if other is not station:
            line = (
                f"Monitoring station {station.external_id!r}: its prefix {station.prefix!r} and linecard "
                f"{station.linecard!r} are those of {other.external_id!r} too: give one of the two another linecard."
            )
            yield Violation(station.urn, line)


# From here on: how Pulumi reaches the rules.


def read_linecards(path: Path) -> frozenset[str]:
    """The linecards that a file describes; any other file ends the pack with one line."""
    remedy = 'write a line for each linecard, with it in quotes, such as "10001": Receiver 1, rack 3.'
    try:
        linecards = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SystemExit(f"{path.name} cannot be read ({' '.join(str(error).split())}): {remedy}") from None
    if not isinstance(linecards, dict) or not all(isinstance(linecard, str) for linecard in linecards):
        raise SystemExit(f"{path.name} holds something other than linecards in quotes: {remedy}")
    return frozenset(linecards)


def station_of(resource: ResourceValidationArgs | PolicyResource) -> Station:
    """What the rules know of a resource that is a station."""
    return Station(
        resource.urn,
        resource.props["external_monitoring_station_id"],
        resource.props.get("prefix") or "",
        resource.props.get("linecard") or "",
    )


def for_each(
    rule: Callable[[Station, ResourceValidationArgs], str | None],
) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    """A rule that looks at each station by itself."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type == STATION and (line := rule(station_of(args), args)):
            report(line, None)

    return validate


def for_all(
    rule: Callable[[Iterable[Station]], Iterable[Violation]],
) -> Callable[[StackValidationArgs, ReportViolation], None]:
    """A rule that looks at the stations of the stack together."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for violation in rule(station_of(r) for r in args.resources if r.resource_type == STATION):
            report(violation.line, violation.urn)

    return validate


def regex(name: str, default: str, description: str) -> PolicyConfigSchema:
    """A policy's one setting, which is a regular expression."""
    return PolicyConfigSchema(
        {name: {"type": "string", "format": "regex", "default": default, "description": description}}
    )


def policies(linecards: Collection[str]) -> list[ResourceValidationPolicy | StackValidationPolicy]:
    """The rules with their levels and settings, which --policy-pack-config changes."""
    return [
        ResourceValidationPolicy(
            "external-id-pattern",
            "External ids fit one pattern.",
            for_each(lambda station, args: external_id_pattern(station, args.get_config()["pattern"])),
            EnforcementLevel.MANDATORY,
            regex("pattern", "[a-z]+(-[a-z]+)*-[0-9]{2}", "what the whole external id fits"),
        ),
        ResourceValidationPolicy(
            "linecard-documented",
            "Every linecard is described in linecards.yaml.",
            for_each(lambda station, _: linecard_documented(station, linecards)),
            EnforcementLevel.ADVISORY,
        ),
        ResourceValidationPolicy(
            "protected-in-production",
            "Stations in production are protected from deletion.",
            for_each(
                lambda station, args: protected_in_production(station, args.opts.protect, args.get_config()["stacks"])
            ),
            EnforcementLevel.MANDATORY,
            regex("stacks", "prod(-.*)?", "what the whole name of a stack in production fits"),
        ),
        StackValidationPolicy(
            "one-prefix",
            "The stations of a stack have one prefix.",
            for_all(one_prefix),
            EnforcementLevel.ADVISORY,
        ),
        StackValidationPolicy(
            "prefix-and-linecard-unique",
            "No two stations of a stack share prefix and linecard.",
            for_all(prefix_and_linecard_unique),
            EnforcementLevel.MANDATORY,
        ),
    ]


if __name__ == "__main__":
    PolicyPack("chekt", [*policies(read_linecards(LINECARDS))])
