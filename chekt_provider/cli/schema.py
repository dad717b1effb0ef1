"""`chekt schema`: the JSON schema of stations files."""

from __future__ import annotations

import json

import typer


def schema() -> None:
    """Print the JSON schema of stations files, for editors.

    As in: chekt schema > stations.schema.json, with "# yaml-language-server: $schema=stations.schema.json" as the first
    line of stations.yaml.
    """
    from chekt_provider.files.stations_schema import stations_schema  # noqa: PLC0415 - slow to load, and a help need not

    typer.echo(json.dumps(stations_schema(), indent=2))
