"""Pulumi's own command sends the settings of Pulumi Deployments to Pulumi Cloud, as docs/where-to-run.md shows."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chekt_provider.rollout.deployments import deployment_settings
from chekt_provider.rollout.plan import Wave

PATH = "/api/stacks/{orgName}/{projectName}/{stackName}/deployments/settings"
ANSWERS: dict[str, dict[str, Any]] = {
    "/api/user": {"githubLogin": "somebody", "organizations": []},
    # As much of Pulumi Cloud's description of itself as `pulumi api` needs.
    "/api/openapi/pulumi-spec.json": {
        "openapi": "3.0.3",
        "info": {"title": "Pulumi Cloud", "version": "1"},
        "components": {"schemas": {"Settings": {"type": "object"}}},
        "paths": {
            PATH: {
                "post": {
                    "operationId": "PatchDeploymentSettings",
                    "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                    "responses": {"200": {"description": "OK"}},
                }
            }
        },
    },
}


@pytest.fixture
def cloud() -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of a Pulumi Cloud, and what was posted to it, by path."""
    posted: dict[str, Any] = {}

    class Cloud(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(ANSWERS.get(self.path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted[self.path] = json.loads(gzip.decompress(body))
            self._answer({})

        def _answer(self, answer: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}", posted
    server.shutdown()
    server.server_close()


def test_pulumi_sends_what_is_listed(cloud: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    """`pulumi api PATH --input FILE`, once for each stack."""
    address, posted = cloud
    environment = {**os.environ, "PULUMI_HOME": str(tmp_path), "PULUMI_ACCESS_TOKEN": "a-token"}
    environment.pop("PULUMI_BACKEND_URL", None)
    settings = {"organization": "acme", "sourceContext": {"git": {"branch": "main"}}, "gitHub": {"deployCommits": True}}
    waves = [Wave("dev", ("dev",)), Wave("production", ("prod-1",))]

    def pulumi(*arguments: str, body: str = "") -> None:
        subprocess.run(["pulumi", *arguments], cwd=tmp_path, env=environment, input=body, text=True, check=True)

    pulumi("login", address)
    for stack in deployment_settings(waves, "stations", settings):
        pulumi("api", stack["path"], "--input", "-", body=json.dumps(stack["settings"]))

    assert posted == {
        "/api/stacks/acme/stations/dev/deployments/settings": {
            "sourceContext": {"git": {"branch": "main"}},
            "gitHub": {"deployCommits": True},
        },
        "/api/stacks/acme/stations/prod-1/deployments/settings": {
            "sourceContext": {"git": {"branch": "main"}},
            "gitHub": {"deployCommits": False},
        },
    }
