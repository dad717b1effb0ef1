"""`chekt rollout`: many stacks, wave by wave."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def rollout(  # noqa: PLR0913, PLR0917 - one for each option
    file: Annotated[str, typer.Argument(help="The path of rollout.yaml.")],
    preview: Annotated[bool, typer.Option("--preview", help="Change nothing; print Markdown for a review.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Pass over what the last run has done.")] = False,
    wave: Annotated[str | None, typer.Option(help="This wave alone.")] = None,
    shard: Annotated[str | None, typer.Option(help="A part of one wave, such as 3/10.")] = None,
    show: Annotated[bool, typer.Option("--list", help="List the waves and their stacks, and do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    operator: Annotated[
        bool, typer.Option("--operator", help="List as resources of Pulumi's Kubernetes Operator.")
    ] = False,
    deployments: Annotated[bool, typer.Option("--deployments", help="List as settings of Pulumi Deployments.")] = False,
) -> None:
    """Roll a Pulumi program out over many stacks: wave by wave, each stack previewed, checked, changed and verified.

    Ends with 0 where every stack is as it should be, 1 where one is not, 2 where nothing was done, 3 where a wave waits
    for approval.
    """
    from chekt_provider.cli import waves  # noqa: PLC0415 - brings all of Pulumi, which a help need not

    plan = waves.planned(file, wave, shard)
    if operator or deployments:
        waves.print_templates(plan, operator=operator)
        return
    if show:
        typer.echo(json.dumps(waves.listed(plan), indent=2)) if as_json else waves.print_list(plan)
        return
    report = waves.run(plan, preview=preview, resume=resume)
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    elif preview:
        typer.echo(report.as_markdown(), nl=False)
    else:
        waves.print_report(report)
    raise typer.Exit(0 if report.good else 3 if report.waits else 1)
