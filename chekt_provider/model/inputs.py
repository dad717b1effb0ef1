"""What is wrong with what a program asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from chekt_provider.model.fields import Inputs, facts
from chekt_provider.text import did_you_mean


def input_problems(model: type[Inputs], given: Mapping[str, object], unknown: Collection[str] = ()) -> list[str]:
    """Every rule that inputs break, one sentence each, which does not repeat the value.

    Args:
        model: of the inputs.
        given: the inputs with known values; None counts as left out.
        unknown: names of the inputs whose values a preview does not know yet.
    """
    given = present(given)
    known = facts(model)
    broken = _broken(model, given)
    for name, fact in known.items():
        if fact.is_required and name not in given:
            broken[name] = f"is missing: {fact.give}"
    sentences = [f"{name} {broken[name]}." for name in known if name in broken and name not in unknown]
    strange = [
        f"{name!a} is not an input of {model.WHAT}{did_you_mean(name, list(known))}"
        for name in given
        if name not in model.model_fields and name not in unknown
    ]
    return [*sentences, *strange, *model.conflicts({*given, *unknown})]


def _broken(model: type[Inputs], given: Mapping[str, object]) -> dict[str, str]:
    """What is wrong with each value, by its input."""
    try:
        model.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        return {str(problem["loc"][0]): problem["msg"] for problem in problems if problem["loc"]}
    return {}


def present(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that are not left out."""
    return {name: value for name, value in properties.items() if value is not None}
