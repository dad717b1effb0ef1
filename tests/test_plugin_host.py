"""What the provider says while it works."""

from __future__ import annotations

import os
import sys

import pytest

from chekt_provider.plugin_host import say


def test_a_sentence_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """On a line of its own, under our name."""
    say("Keeping it.")

    assert capsys.readouterr().err == "chekt: Keeping it.\n"


def test_nobody_left_to_read_it_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine was killed: what is under way must still come to its end."""
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
