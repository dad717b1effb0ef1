"""What the provider says while it works."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from chekt_provider.plugin.host import say


def test_a_sentence_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """It has its own line, under our name."""
    say("Keeping it.")

    assert capsys.readouterr().err == "chekt: Keeping it.\n"


def test_nobody_left_to_read_it_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine was killed: what is under way must still finish."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as pipe:
        monkeypatch.setattr(sys, "stderr", _Unread(pipe.fileno()))

        say("Keeping it.")


class _Unread:
    """A standard error whose reader has gone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        return os.write(self._descriptor, text.encode())

    def flush(self) -> None:
        pass


PLUGIN = """
import sys, threading
class DynamicResourceProviderServicer: pass
from chekt_provider.plugin.host import leave_after_engine
leave_after_engine(lambda: print("interrupted", flush=True), lambda: False, 0.1)
threading.Event().wait()
"""


def test_the_plugin_ends_after_its_engine() -> None:
    """It is interrupted first: a killed engine ends nothing. An engine that only closes a connection is still there."""
    with socket.create_server(("127.0.0.1", 0)) as engine:
        address = f"127.0.0.1:{engine.getsockname()[1]}"
        with subprocess.Popen([sys.executable, "-c", PLUGIN, address], stdout=subprocess.PIPE) as plugin:
            engine.accept()[0].close()
            again = engine.accept()[0]
            assert plugin.poll() is None
            engine.close()
            again.close()
            assert plugin.wait(30) == 1
            assert plugin.stdout
            assert plugin.stdout.read() == b"interrupted\n"
