"""Refuse stack files that hold a secret in clear: one line for each on stdout, exit status 1.

    python ci/no_plain_secret.py Pulumi.*.yaml

What Pulumi encrypts is a map with the one key `secure`. A private key may be the path of a file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

SECRET = re.compile(r"secret|password|passphrase|credential|privatekey|apikey|tokens?$", re.IGNORECASE)


def in_clear(key: str, value: object) -> Iterator[str]:
    """The keys of secrets that are not encrypted, at any depth."""
    if isinstance(value, dict):
        if value.keys() != {"secure"}:
            for name, inner in value.items():
                yield from in_clear(f"{key}.{name}" if key else str(name), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from in_clear(f"{key}[{index}]", inner)
    elif value is not None and SECRET.search(key.rpartition(".")[2].partition("[")[0].replace("_", "")):
        is_path = "privatekey" in key.lower() and "-----" not in str(value) and "\n" not in str(value)
        if not is_path:
            yield key


def problems(file: Path) -> list[str]:
    """What is wrong with a stack file, a sentence each."""
    try:
        held = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return [f"{file}: this cannot be read as YAML"]
    config = held.get("config") if isinstance(held, dict) else None
    return [
        f"{file}: {key} is in clear: run `pulumi config set --secret {key}`, and change it where it was shared"
        for key in in_clear("", config)
    ]


if __name__ == "__main__":
    found = [problem for name in sys.argv[1:] for problem in problems(Path(name))]
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
