"""Where a stack's state can be kept: a folder, a PostgreSQL server, a bucket of an S3-compatible store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from tools.postgres import Server

BUCKET = "state"


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


@contextmanager
def s3_state() -> Iterator[State]:
    """A bucket of an S3 server that lives as long as this."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request otherwise
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        key, secret = "access-key", "bucket-secret"
        store = boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret
        )
        store.create_bucket(Bucket=BUCKET)
        yield State(
            f"s3://{BUCKET}?endpoint={address}&s3ForcePathStyle=true&region=us-east-1",
            lambda: _objects(store),
            {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret},
            secret,
        )
    finally:
        server.stop()


def _objects(store: Any) -> dict[str, bytes]:
    keys = [found["Key"] for found in store.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    return {key: store.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}
