"""An S3-compatible store on this machine, for a stack's state."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import requests
from moto.server import ThreadedMotoServer

from tools.states import State

BUCKET = "state"


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
        requests.post(f"{address}/moto-api/reset", timeout=30).raise_for_status()  # servers of one process share all
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
