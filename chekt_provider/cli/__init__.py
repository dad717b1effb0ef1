"""The `chekt` command: one file per verb."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from chekt_provider.cli.command import command  # noqa: PLC0415 - it needs an extra
    except ModuleNotFoundError as error:
        sys.exit(f"chekt: {error.name} is missing: pip install 'chekt-provider[cli]'")
    command()
