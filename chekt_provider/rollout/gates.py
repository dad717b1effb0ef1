"""What a preview must not show, lest the stack is left as it is."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_provider.files.rollout_file import Gates
from chekt_provider.rollout.changes import Change
from chekt_provider.text import listed


def broken(gates: Gates, changes: Sequence[Change]) -> list[str]:
    """The sentences of what a preview shows and the gates do not let through; policy packs speak for themselves."""
    found = []
    for op, allowed, key in (("delete", gates.deletes, "deletes"), ("replace", gates.replacements, "replacements")):
        names = [change.name for change in changes if change.op == op]
        if names and not allowed:
            what = f"{_number(len(names), 'resource')} would be {op}d: {listed(names)}"
            found.append(f"{what}. If that is meant, set `{key}: true` in the gates of rollout.yaml.")
    if gates.changes is not None and len(changes) > gates.changes:
        what = f"{_number(len(changes), 'change')}, and at most {gates.changes} may be made at once"
        found.append(f"{what}. If all are meant, raise `changes:` in the gates of rollout.yaml.")
    return found


def _number(many: int, what: str) -> str:
    return f"{many} {what}{'' if many == 1 else 's'}"
