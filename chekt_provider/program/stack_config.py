"""The stack's config, as the program's own process sees it."""

from __future__ import annotations

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from chekt_provider.settings import SECRETS, VARIABLES
from chekt_provider.text import did_you_mean, shown

_IN_PLAIN_TEXT = (
    "{key} is set in plain text. Run `pulumi config set --secret {key}` to set it again encrypted, "
    "and change it in CHeKT's portal if the file was shared."
)


def stack_config(key: str) -> str | None:
    """The value of a setting by its full key ("chekt:baseUrl"), secrets in clear; None where it is not set."""
    return pulumi.Config("chekt").get(key.removeprefix("chekt:"))


def refuse_bad_config() -> None:
    """Raise pulumi.RunError when the stack's file holds a secret that is not encrypted, or a setting that is none."""
    known = {*CONFIG.get(), *get_config_env()}
    for key in sorted(key for key in known if key.startswith("chekt:") and key not in VARIABLES):
        remedy = f"Take it away with `pulumi config rm {shown(key)}`."
        raise pulumi.RunError(f"{shown(key)} is no setting{did_you_mean(key, VARIABLES, 'chekt:')} {remedy}")
    for key in SECRETS:
        value = stack_config(key)
        is_secret = key == "chekt:clientSecret" or "-----" in (value or "")  # a path to a key is none
        if value and is_secret and not pulumi.runtime.is_config_secret(key):
            raise pulumi.RunError(_IN_PLAIN_TEXT.format(key=key))
