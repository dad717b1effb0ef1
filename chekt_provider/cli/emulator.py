"""`chekt emulator`: a CHeKT to try things on."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
