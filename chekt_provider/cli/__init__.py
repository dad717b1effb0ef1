"""The `chekt` command: one file per verb."""

import typer

from chekt_provider.cli import emulator, rollout, schema, stations

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
emulator.register(app)
rollout.register(app)
schema.register(app)
stations.register(app)


def main() -> None:
    """Run the command line."""
    app()
