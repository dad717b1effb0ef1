"""One run: what all the provider classes of one plugin process share.

Pulumi configures each class of a process by itself, and hands all of them the same config. Two token sources, two rate
limiters or two lists of one dealer would each be right alone and wrong together.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import lru_cache

from pulumi.dynamic import Config

from chekt_provider.api.client import Client
from chekt_provider.api.interruption import Interruption
from chekt_provider.api.transport import Transport
from chekt_provider.log import show_log
from chekt_provider.operations.assignments import AssignmentOperations
from chekt_provider.operations.stations import StationOperations
from chekt_provider.plugin.host import leave_after_engine, lift_worker_limit, on_cancel, say, show_errors_as_text
from chekt_provider.settings import CONFIG_KEYS, Settings, read_settings
from chekt_provider.text import Hidden


class Run:
    """The operations of one process, over one transport and one directory.

    Args:
        settings: of this run; what is wrong in them is told by `check`.
        transport: makes the calls of all operations.
        say: told what a person should know although nothing failed.

    Attributes:
        hidden: what nobody may read of what this process says.
    """

    def __init__(self, settings: Settings, transport: Transport, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.hidden = _hidden
        client = Client(transport)
        self.stations = StationOperations(client, settings, say)
        self.assignments = AssignmentOperations(client, self.stations.sites, settings, say)


_hidden = Hidden()
_lock = threading.Lock()


def run_of(config: Config) -> Run:
    """The run of this process: the first of its classes begins it, and all of them have one config."""
    with _lock:
        return _begin(tuple((key, config.get(key)) for key in CONFIG_KEYS))


@lru_cache(maxsize=1)
def _begin(config: tuple[tuple[str, object], ...]) -> Run:
    show_errors_as_text(_hidden.mask)
    lift_worker_limit()
    interruption = Interruption()
    on_cancel(interruption.come)
    leave_after_engine(interruption.come, interruption.is_over)
    settings = read_settings(dict(config).get, os.environ)
    show_log(settings.log_level, _hidden.mask)
    for note in settings.notes:
        say(note)
    transport = Transport(settings, say=_say, sleep=interruption.sleep, interruption=interruption)
    return Run(settings, transport, _say)


def _say(sentence: str) -> None:
    say(_hidden.mask(sentence))
