"""The `chekt` command: one file per verb."""

import io
import sys


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a letter is shown its code point
            stream.reconfigure(errors="backslashreplace")
    try:
        from chekt_provider.cli.command import command  # noqa: PLC0415 - it needs an extra
    except ModuleNotFoundError as error:
        sys.exit(f"chekt: {error.name} is missing: pip install 'path/to/chekt-provider[cli]'")
    command()
