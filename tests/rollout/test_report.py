"""What a roll-out tells about itself: gates, Markdown, JSON."""

from __future__ import annotations

import json

import pytest

from chekt_provider.files.rollout_file import Gates
from chekt_provider.rollout.changes import Change
from chekt_provider.rollout.gates import broken
from chekt_provider.rollout.report import Outcome, Report, StackReport


def change(op: str, resource: str = "a", /, **fields: tuple[str, str]) -> Change:
    return Change(op, resource, "MonitoringStation", fields)


DELETED = "If that is meant, set `deletes: true` in the gates of rollout.yaml."
REPLACED = "If that is meant, set `replacements: true` in the gates of rollout.yaml."
TOO_MANY = "If all are meant, raise `changes:` in the gates of rollout.yaml."


@pytest.mark.parametrize(
    ("gates", "ops", "sentences"),
    [
        (Gates(), ["create", "update"], []),
        (Gates(), ["delete"], [f"1 resource would be deleted: a. {DELETED}"]),
        (Gates(), ["delete", "replace"], [f"1 resource would be {v}d: a. {s}" for v, s in
                                          (("delete", DELETED), ("replace", REPLACED))]),
        (Gates(deletes=True, replacements=True), ["delete", "replace"], []),
        (Gates(changes=2), ["create", "update"], []),
        (Gates(changes=1), ["create", "update"], [f"2 changes, and at most 1 may be made at once. {TOO_MANY}"]),
        (Gates(changes=0), ["create"], [f"1 change, and at most 0 may be made at once. {TOO_MANY}"]),
        (
            Gates(),
            ["delete"] * 12,
            [f"12 resources would be deleted: a, a, a, a, a, a, a, a, a, a and 2 more. {DELETED}"],
        ),
    ],
)  # fmt: skip
def test_a_gate_lets_through_what_it_says(gates: Gates, ops: list[str], sentences: list[str]) -> None:
    """Deletions and replacements if they are allowed; at most this many changes."""
    assert broken(gates, [change(op) for op in ops]) == sentences


MARKDOWN = """\
## Roll-out of a\\|b.yaml: 1 done, 1 failed

| wave | stack | result | create | update | replace | delete | same |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |
| dev | dev | done | 1 | 1 |  |  | 3 |
| prod | prod\\_1 | failed |  |  |  |  |  |

Fix that, then run again with --resume: it passes over what is done.

### dev

- Adopting &lt;b&gt; \\@all
- \\\\u202ereversed
- update MonitoringStation ``` x``y ```: name: `A` → nothing
- create MonitoringStation `\\u202elartneC\\u001b[2J`

### prod\\_1

- **no \\[link\\](http://x) two lines**
"""


def test_nothing_that_a_person_named_is_markup_in_the_report() -> None:
    """Names, values and CHeKT's words stay text: no table cell, link, mention, HTML, line or direction of their own."""
    changes = [change("update", "x``y", name=("A", "")), change("create", "\u202elartneC\x1b[2J")]
    stacks = [
        StackReport("dev", "dev", "done", changes, 3, said=["Adopting <b> @all", "\u202ereversed"]),
        StackReport("prod", "prod_1", "failed", problems=["no [link](http://x)\ntwo lines"]),
    ]
    assert Report("a|b.yaml", False, stacks).as_markdown() == MARKDOWN


def test_the_report_says_what_a_wave_waits_for_and_of_quiet_stacks_no_more_than_their_row() -> None:
    """A stack without changes, problems and sentences has no section of its own; a shard may have no stacks."""
    report = Report("rollout.yaml", False, [StackReport("dev", "dev", "done", same=2)], waiting="The wave waits.")
    assert report.as_markdown().splitlines()[4:] == ["| dev | dev | done |  |  |  |  | 2 |", "", "The wave waits."]
    assert Report("rollout.yaml", True, []).as_markdown().splitlines()[0] == "## Preview of rollout.yaml: no stacks"


@pytest.mark.parametrize(
    ("outcomes", "preview", "waiting", "advice"),
    [
        (["done", "failed"], False, "", "Fix that, then run again with --resume: it passes over what is done."),
        (
            ["refused", "not started"],
            False,
            "",
            "Fix that, then run again with --resume: it passes over what is done.",
        ),
        (["done", "stopped"], False, "", "Run again with --resume: it passes over what is done."),
        (["done", "not started"], False, "The wave waits.", ""),
        (["done", "done before"], False, "", ""),
        (["previewed", "failed"], True, "", ""),
    ],
)
def test_a_roll_out_that_ends_early_says_how_it_goes_on(
    outcomes: list[Outcome], preview: bool, waiting: str, advice: str
) -> None:
    """A wave that waits says so itself, and a preview has nothing to resume."""
    stacks = [StackReport("all", f"s-{number}", outcome) for number, outcome in enumerate(outcomes)]

    assert Report("rollout.yaml", preview, stacks, waiting).advice == advice


def test_the_report_for_machines_says_all() -> None:
    """Each stack with its changes, field by field, and whether all is well."""
    done = StackReport("dev", "dev", "done", [change("update", name=("A", "B"))], same=1, seconds=2.5)
    report = Report("rollout.yaml", preview=False, stacks=[done], seconds=3.0)
    assert json.loads(json.dumps(report.as_json())) == {
        "good": True,
        "rollout": "rollout.yaml",
        "preview": False,
        "stacks": [
            {
                "wave": "dev",
                "stack": "dev",
                "outcome": "done",
                "changes": [
                    {"op": "update", "name": "a", "type": "MonitoringStation", "fields": {"name": ["A", "B"]}},
                ],
                "same": 1,
                "problems": [],
                "said": [],
                "seconds": 2.5,
            }
        ],
        "waiting": "",
        "seconds": 3.0,
        "unsaved": "",
    }


@pytest.mark.parametrize(
    ("outcome", "good"),
    [("done", True), ("previewed", True), ("done before", True), ("refused", False), ("failed", False),
     ("stopped", False), ("not started", False)],
)  # fmt: skip
def test_all_is_well_where_every_stack_is(outcome: str, good: bool) -> None:
    """A stack that was refused, failed, stopped or never begun is not well; nor is a wave that waits."""
    stack = StackReport("dev", "dev", outcome)  # type: ignore[arg-type]
    assert Report("r", False, [stack]).good is good
    assert not Report("r", False, [stack], waiting="for somebody").good
