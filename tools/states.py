"""Where a stack's state can be kept: a folder, a PostgreSQL server; s3.py has the bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.postgres import Server


@dataclass(frozen=True)
class State:
    """One backend.

    Attributes:
        url: for PULUMI_BACKEND_URL.
        contents: gives everything that is kept there, by its key.
        environment: what the engine needs beside the URL to get in.
        secret: the one among that which nobody may see; "" where there is none.
    """

    url: str
    contents: Callable[[], dict[str, bytes]]
    environment: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""


def folder_state(folder: Path) -> State:
    """A folder that exists."""

    def contents() -> dict[str, bytes]:
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    return State(folder.as_uri(), contents)


@contextmanager
def postgres_state(programs: Path) -> Iterator[State]:
    """A PostgreSQL server that lives as long as this.

    Args:
        programs: the folder of its programs, from `tools.postgres`.
    """
    with Server(programs) as server:
        yield State(server.url, server.contents, {"PGPASSWORD": server.password}, server.password)
