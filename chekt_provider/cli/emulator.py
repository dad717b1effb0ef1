"""`chekt emulator`: a CHeKT to try things on, alone or around a command."""

from __future__ import annotations

import inspect
import os
import shlex
import signal
import sqlite3
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, get_args

import typer
from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo

from chekt_provider.cli.seed import Seed, plant, read_seed
from chekt_provider.emulator import Plan, Switches
from chekt_provider.files.yaml_file import BadFileError

if TYPE_CHECKING:
    from chekt_provider.emulator import Emulator

_ASSERTION = ("CHEKT_PRIVATE_KEY", "CHEKT_KEY_ID")
"""Credentials of another CHeKT, which a program would use in place of the emulator's client secret."""


class _Options(BaseModel):
    """The options besides the switches, as numbers."""

    port: int = Field(default=0, ge=0, le=65535)
    dealer: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] = [12345]
    token_life: int = Field(default=3600, ge=0)
    plan: Literal["free", "pro", "enterprise", "none"] = "enterprise"


def register(app: typer.Typer) -> None:
    """Add the command to the command line, with an option for each switch."""
    whole = inspect.signature(emulator, eval_str=True)
    own = [each for each in whole.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    whole = whole.replace(parameters=own + [_switch(name, field) for name, field in Switches.model_fields.items()])
    emulator.__signature__ = whole  # type: ignore[attr-defined]
    emulator.__annotations__ = {name: each.annotation for name, each in whole.parameters.items()}
    app.command("emulator", context_settings={"allow_interspersed_args": False})(emulator)


def _text(values: str, meaning: str) -> Any:
    """Make an option of text, to be checked here: Typer would draw a box around an error."""
    return typer.Option(metavar=values, help=meaning)


def _switch(name: str, field: FieldInfo) -> inspect.Parameter:
    """Make the option that sets a switch."""
    values = "|".join(get_args(field.annotation)) or "NUMBER"
    option = _text(values, f"{field.description} Default: {field.default}.")
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=None, annotation=Annotated[str | None, option])


def emulator(  # noqa: PLR0913 - one for each option
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="Run this with the emulator around it.")
    ] = None,
    *,
    port: Annotated[str | None, _text("PORT", "Listen on this port of 127.0.0.1 (default: a free one).")] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep stations and sites in this file (default: in memory).")
    ] = None,
    seed: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Begin with the stations and sites of this YAML file; see the README."),
    ] = None,
    dealer: Annotated[list[str] | None, _text("ID", "A dealer that exists; may be repeated (default: 12345).")] = None,
    public_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Accept client assertions that this RSA public key (PEM) fits."),
    ] = None,
    key_id: Annotated[str | None, _text("ID", "The kid that client assertions must name (default: any).")] = None,
    token_life: Annotated[str | None, _text("SECONDS", "How long an access token lives (default: 3600).")] = None,
    plan: Annotated[str | None, _text("free|pro|enterprise|none", "The rate limit (default: enterprise).")] = None,
    **switches: str | None,
) -> None:
    """Imitate CHeKT's Partner API on this machine.

    Without a command it serves until Ctrl-C. With one, as in: chekt emulator -- pytest tests, it runs that with
    CHEKT_BASE_URL and its like set, and ends with its exit status.
    """
    options = {"port": port, "dealer": dealer or None, "token_life": token_life, "plan": plan}
    if key_id is not None and public_key is None:
        _refuse("--key-id: it needs --public-key, whose id it is")
    world = _emulator(options, switches, state, public_key, key_id)
    try:
        _start(world, seed)
        status = _run(command, world) if command else _serve(world)
    finally:
        world.stop()
    raise typer.Exit(status)


def _emulator(
    options: dict[str, Any], switches: dict[str, Any], state: Path | None, public_key: Path | None, key_id: str | None
) -> Emulator:
    """Make the emulator, or end with one line that names the bad option."""
    try:
        from chekt_provider.emulator import Emulator  # noqa: PLC0415 - an extra, and slow to load
    except ModuleNotFoundError as error:
        _refuse(f"{error.name} is missing: pip install 'chekt-provider[emulator]'")
    try:
        chosen = _Options(**_given(options))
        answers = Switches.model_validate_strings(_given(switches))
    except ValidationError as error:
        first = error.errors()[0]
        _refuse(f"--{str(first['loc'][0]).replace('_', '-')}: {first['msg']}")
    try:
        # What is no text is no key either: the emulator refuses it.
        key = public_key.read_text(encoding="utf-8", errors="replace") if public_key else None
        return Emulator(
            dealers=chosen.dealer,
            switches=answers,
            public_key=key,
            key_id=key_id,
            token_life=chosen.token_life,
            plan=None if chosen.plan == "none" else Plan[chosen.plan.upper()],
            state=state,
            port=chosen.port,
        )
    except OSError as error:
        _refuse(f"--public-key: {public_key}: {error.strerror}")
    except sqlite3.Error as error:
        _refuse(f"--state: {state}: {error}")
    except (ModuleNotFoundError, ValueError) as error:
        _refuse(f"--public-key: {public_key}: {error}")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _start(world: Emulator, seed: Path | None) -> None:
    """Start the emulator, with what the seed holds."""
    try:
        planted = read_seed(seed) if seed else Seed()
        world.start()
        plant(planted, world)
    except BadFileError as error:
        _refuse(f"--seed: {error}")
    except OSError as error:
        _refuse(f"--port: {error.strerror}")


def _refuse(message: str, status: int = 2) -> NoReturn:
    typer.echo(f"chekt emulator: {message}", err=True)
    raise typer.Exit(status)


def _serve(world: Emulator) -> int:
    """Say how to reach the emulator, and wait for Ctrl-C or SIGTERM."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    typer.echo(f"CHeKT's Partner API, emulated: {world.url} (Ctrl-C ends it)")
    typer.echo(f"What it does, and its switches and faults: {world.url}/docs")
    typer.echo("To point a program at it:")
    for name, value in world.environment().items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    stopping.wait()
    return 0


def _run(command: list[str], world: Emulator) -> int:
    """Run a command with the emulator around it, and give its exit status as a shell would."""
    # Handled, since the command would inherit an ignored signal. Ctrl-C at a terminal reaches the command by itself,
    # and the emulator has to outlive it.
    signal.signal(signal.SIGINT, lambda *_: None)
    own = {name: value for name, value in os.environ.items() if name not in _ASSERTION}
    try:
        child = subprocess.Popen(command, env=own | world.environment())  # noqa: S603 - what it is there for
    except FileNotFoundError:
        _refuse(f"command not found: {command[0]}", 127)
    except PermissionError:
        _refuse(f"command cannot be run: {command[0]}", 126)
    signal.signal(signal.SIGTERM, lambda number, _: child.send_signal(number))
    status = child.wait()
    return status if status >= 0 else 128 - status
