"""The command line as a whole."""

from __future__ import annotations

from typing import Annotated

import typer

from chekt_provider.cli import emulator
from chekt_provider.cli.rollout import rollout
from chekt_provider.cli.schema import schema
from chekt_provider.cli.stations import stations

command = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
emulator.register(command)
command.command("rollout")(rollout)
command.command("schema")(schema)
command.command("stations")(stations)


def _print_version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - slow to load, and little asked for

        typer.echo(f"chekt {version('chekt-provider')}")
        raise typer.Exit


@command.callback()
def chekt(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Work with CHeKT's monitoring stations beside Pulumi."""
