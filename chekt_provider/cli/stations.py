"""`chekt stations`: the monitoring stations that CHeKT holds for a dealer."""

from __future__ import annotations

from typing import Annotated

import typer


def stations(
    dealer: Annotated[str, typer.Option(help="The dealer's id. Default: CHEKT_DEALER_ID.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print a stations file, by which a Fleet takes them over.")
    ] = False,
) -> None:
    """List the monitoring stations that CHeKT holds for a dealer. Reads the CHEKT_* environment variables."""
    from chekt_provider.cli.listing import print_stations  # noqa: PLC0415 - slow to load, and a help need not

    if as_json and as_yaml:
        raise typer.BadParameter("--json and --yaml are two forms: choose one")
    print_stations(dealer, form="json" if as_json else "yaml" if as_yaml else "table")
