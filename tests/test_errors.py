"""The tree of errors, and the one line that each error is."""

from __future__ import annotations

import pickle
import re

import pytest

from chekt_provider import errors
from chekt_provider.errors import (
    ChektError,
    Conflict,
    CredentialsRefused,
    Evidence,
    InvalidInput,
    ListIncomplete,
    NotFound,
    Refused,
    SettingsError,
    StationExists,
    TokenError,
    Unclear,
    Unreachable,
    Untrusted,
)
from chekt_provider.settings import VARIABLES

CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, ChektError)]


def drawn() -> dict[str, str]:
    """The tree in the module's docstring: each class's parent."""
    rows = re.findall(r"^    (\w+) +([\w,]+)$", re.sub(r",\s+", ",", errors.__doc__ or ""), re.MULTILINE)
    return {name: parent for parent, names in rows for name in names.split(",")}


def test_the_tree_that_is_drawn_is_the_tree_that_is() -> None:
    """The docstring names every class beside its parent, and no other."""
    assert drawn() == {cls.__name__: cls.__bases__[0].__name__ for cls in CLASSES if cls is not ChektError}


def test_the_drawing_is_read_as_it_is_meant() -> None:
    """It goes from its first line to its last, on three levels: so the comparison above really compares something."""
    assert drawn()["SettingsError"] == "ChektError"
    assert drawn()["CredentialsRefused"] == "TokenError"
    assert drawn()["WrongEnvironment"] == "Unsafe"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ChektError("it broke"), "it broke. Nothing was changed."),
        (ChektError("it broke", outcome="", remedy=""), "it broke."),
        (
            ChektError("it broke", action="do it", outcome="Half was done.", remedy="Do the rest."),
            "Could not do it: it broke. Half was done. Do the rest.",
        ),
        (
            Conflict(
                'CHeKT refused: conflict, "taken"',
                action="create monitoring station 'central-01' of dealer 12345",
                evidence=Evidence(status=409, trace_id="t-1", request_id="req_1"),
            ),
            "Could not create monitoring station 'central-01' of dealer 12345: CHeKT refused: conflict, \"taken\". "
            "Nothing was changed. Give the trace id to CHeKT's support. (HTTP 409, trace id t-1, request id req_1)",
        ),
        (ChektError("it broke", evidence=Evidence(status=500)), "it broke. Nothing was changed. (HTTP 500)"),
        (ChektError("it broke", evidence=Evidence(trace_id="t-1")), "it broke. Nothing was changed. (trace id t-1)"),
        (
            ChektError("it broke", evidence=Evidence(request_id="req\x1b_1\r\n")),
            "it broke. Nothing was changed. (request id req\\u001b_1)",
        ),
        (
            Unclear("it broke"),
            "it broke. Whether the change was made is not known. "
            "Run `pulumi up --refresh`: it looks at what is there before it changes anything.",
        ),
        (
            TokenError("no token"),
            "no token. No other call was made. Check chekt:tokenUrl (CHEKT_TOKEN_URL), then run again.",
        ),
    ],
)
def test_an_error_is_one_line(error: ChektError, line: str) -> None:
    """What could not be done, why, what was and was not done, what to do next, and where to find it again."""
    assert str(error) == line


@pytest.mark.parametrize("cls", CLASSES)
def test_each_error_has_a_sentence_that_explains_it(cls: type[ChektError]) -> None:
    """That is its docstring; its outcome and remedy are sentences too, if it has them."""
    assert (cls.__doc__ or "").strip()
    for sentence in (cls.default_outcome, cls.default_remedy):
        assert sentence == "" or (sentence[0].isupper() and sentence.endswith("."))


@pytest.mark.parametrize("cls", CLASSES)
def test_a_remedy_names_only_settings_that_exist(cls: type[ChektError]) -> None:
    """It names key and variable, and the two belong together."""
    keys = re.findall(r"chekt:\w+", cls.default_remedy)
    variables = re.findall(r"CHEKT_\w+", cls.default_remedy)

    assert set(keys) <= VARIABLES.keys()
    assert set(variables) <= {VARIABLES[key] for key in keys}


@pytest.mark.parametrize(
    "cls", [SettingsError, CredentialsRefused, Unreachable, Untrusted, Unclear, InvalidInput, NotFound, ListIncomplete]
)
def test_a_changed_copy_is_the_same_kind_of_error(cls: type[ChektError]) -> None:
    """replace() keeps the class and everything not named, and leaves the original alone."""
    evidence = Evidence(status=400, trace_id="t-1", request_id="req_1", code="bad", field="name", retry_after=7)
    error = cls("first", action="do it", evidence=evidence, outcome="Half was done.", remedy="Do the rest.")

    copy = error.replace(cause="second")

    assert type(copy) is cls
    assert str(copy) == (
        "Could not do it: second. Half was done. Do the rest. (HTTP 400, trace id t-1, request id req_1)"
    )
    assert copy.evidence is evidence
    assert str(error).startswith("Could not do it: first.")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"action": "undo it"}, "Could not undo it: it broke. Nothing was changed. (HTTP 409)"),
        ({"outcome": "All was done."}, "Could not do it: it broke. All was done. (HTTP 409)"),
        ({"remedy": "Rest."}, "Could not do it: it broke. Nothing was changed. Rest. (HTTP 409)"),
        ({"evidence": Evidence(status=400)}, "Could not do it: it broke. Nothing was changed. (HTTP 400)"),
    ],
)
def test_each_part_of_a_line_can_be_changed(changes: dict[str, str | Evidence], line: str) -> None:
    """Action, outcome, remedy and evidence."""
    error = StationExists("it broke", action="do it", evidence=Evidence(status=409))

    assert str(error.replace(**changes)) == line


def test_an_error_can_be_sent_between_processes() -> None:
    """Its line survives pickling."""
    error = Refused("no", action="do it", evidence=Evidence(status=418, trace_id="t-1"))

    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes


def test_evidence_says_only_what_is_known() -> None:
    """No empty brackets, no "None"."""
    assert str(Evidence()) == ""
    assert str(Evidence(status=503, request_id="req_1")) == "HTTP 503, request id req_1"
    assert str(Evidence(request_id="a" * 100)) == "request id " + "a" * 79 + "…"
