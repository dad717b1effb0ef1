"""What `chekt stations` does. Apart from its options: it loads the client, and a help needs none of it."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Literal

import typer
from rich.console import Console
from rich.table import Table

from chekt_provider.api.client import Client
from chekt_provider.api.transport import Transport
from chekt_provider.cli.stations_yaml import stations_file
from chekt_provider.cli.terminal import say
from chekt_provider.errors import ChektError, CredentialsRefused, SettingsError
from chekt_provider.log import show_log
from chekt_provider.model.fields import Station
from chekt_provider.model.ids import id_digits
from chekt_provider.model.records import KEY, UPDATED_IN_PLACE
from chekt_provider.settings import DEBUG_VARIABLE, VARIABLES, read_settings
from chekt_provider.text import shown

_COLUMNS = {
    "monitoring_station_id": "id",
    KEY: "external id",
    **{name: name for name in UPDATED_IN_PLACE},
}


def print_stations(dealer: str, *, form: Literal["table", "json", "yaml"]) -> None:
    """Print what CHeKT holds for a dealer. Ends the command when it cannot read that."""
    settings = read_settings(lambda key: None, os.environ)
    show_log(settings.log_level)
    given = dealer or os.environ.get("CHEKT_DEALER_ID", "")
    dealer_id = id_digits(given)
    if dealer_id is None:
        wrong = f"'{shown(given)}' is not an id: write digits only. " if given else ""
        say(f"{wrong}Name the dealer: --dealer 12345, or set CHEKT_DEALER_ID.")
        raise typer.Exit(2)
    try:
        client = Client(Transport(settings, say=say))
        operation = client.operation(f"list the monitoring stations of dealer {dealer_id}")
        listing = client.list_stations(operation, dealer_id)
    except ChektError as error:
        if os.environ.get(DEBUG_VARIABLE) == "1":
            raise
        say(_by_variables(error))
        raise typer.Exit(1) from None
    if form == "json":
        typer.echo(json.dumps([station.model_dump() for station in listing.items], indent=2))
    elif form == "yaml":
        text, left_out = stations_file(dealer_id, listing.items)
        sys.stdout.buffer.write(text.encode())  # whatever the terminal's encoding is: Fleet reads UTF-8
        for sentence in left_out:
            say(sentence)
    else:
        _print_table(dealer_id, listing.items)


def _by_variables(error: ChektError) -> str:
    """The error's line, with environment variables only: this command reads no stack config."""
    if isinstance(error, CredentialsRefused):
        error = error.replace(remedy="Correct CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET, or CHEKT_PRIVATE_KEY.")
    if isinstance(error, SettingsError) and error.remedy:
        error = error.replace(remedy="Set CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET.")
    line = re.sub(r"chekt:\w+(?: and chekt:\w+)* \((CHEKT_\w+(?: and CHEKT_\w+)*)\)", r"\1", str(error))
    line = re.sub(r"run (['`])pulumi config set [^'`]*\1", "set it", line)
    return re.sub(r"chekt:\w+", lambda found: VARIABLES.get(found[0], found[0]), line)


def _print_table(dealer_id: str, items: tuple[Station, ...]) -> None:
    console = Console(markup=False, highlight=False)
    if not items:
        console.print(f"CHeKT holds no monitoring station of dealer {dealer_id}.")
        return
    console.print(f"Monitoring stations that CHeKT holds for dealer {dealer_id}", soft_wrap=True)
    table = Table()
    for heading in _COLUMNS.values():
        table.add_column(heading, overflow="fold")
    for station in items:
        table.add_row(*(shown(str(getattr(station, name))) for name in _COLUMNS))
    console.print(table)
