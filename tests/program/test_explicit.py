"""Explicit providers: what decides their settings, and what their inputs hold."""

from __future__ import annotations

import contextvars
import inspect
from typing import Any

import pulumi
import pytest
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from chekt_provider import Provider
from chekt_provider.errors import SettingsError
from chekt_provider.settings import VARIABLES, argument, read_settings, stack_key

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
"""By this Pulumi knows a value that it has to encrypt."""

NAME = {"chekt:provider": "dealer-a"}
APP = {**NAME, "chekt:clientId": "app-a", "chekt:clientSecret": "secret-a"}
ENVIRONMENT = {
    "CHEKT_BASE_URL": "https://env.example",
    "CHEKT_TOKEN_URL": "https://token.example/env",
    "CHEKT_CLIENT_ID": "app-env",
    "CHEKT_CLIENT_SECRET": "secret-env",
    "CHEKT_DEALER_ID": "999",
    "CHEKT_SITE_GUARD": "off",
    "CHEKT_REQUESTS_PER_MINUTE": "60",
    "CHEKT_LOG": "info",
}


def test_who_a_provider_is_its_arguments_alone_say() -> None:
    """The environment's credentials, key and dealer do not count, nor do the stack's."""
    others = {"CHEKT_PRIVATE_KEY": "-----", "CHEKT_KEY_ID": "k", "CHEKT_TOKEN_AUDIENCE": "a", **ENVIRONMENT}
    stack = {stack_key(key): "7" for key in VARIABLES if key.endswith(("Id", "Secret", "Key", "Audience", "traceId"))}

    settings = read_settings((APP | stack).get, {**others, "CHEKT_TRACE_ID": ""})

    assert (settings.client_id, settings.client_secret, settings.dealer_id) == ("app-a", "secret-a", "")
    assert (settings.private_key, settings.key_id, settings.token_audience) == (None, "", "")


def test_a_provider_without_credentials_has_none() -> None:
    """It never becomes the environment's app; the error says where to give them."""
    settings = read_settings({**NAME, "chekt:dealerId": 111.0}.get, ENVIRONMENT)

    assert settings.dealer_id == "111"
    with pytest.raises(SettingsError) as caught:
        settings.require_credentials("list")
    assert str(caught.value) == (
        "Could not list: no credentials are set. Nothing was changed. Pass client_id and client_secret to Provider "
        "'dealer-a': it takes no credentials from the environment or the stack's config."
    )


def test_what_a_provider_is_given_wins_over_the_environment_and_that_over_the_stack() -> None:
    """This goes for each setting that does not say who it is; a blank argument does not count."""
    stack = {"stack:siteGuard": "on", "stack:requestsPerMinute": "5", "stack:adoptExisting": "true"}

    settings = read_settings((APP | stack | {"chekt:requestsPerMinute": 600.0, "chekt:siteGuard": ""}).get, ENVIRONMENT)

    assert settings.requests_per_minute == 600
    assert settings.site_guard is False
    assert settings.adopt_existing is True
    assert (settings.base_url, settings.token_url) == ("https://env.example", "https://token.example/env")
    assert settings.log_level == "info"
    assert settings.problems == ()


def test_false_is_a_value_that_wins() -> None:
    """adopt_existing=False counts as given, although the environment says true."""
    settings = read_settings({**APP, "chekt:adoptExisting": False}.get, {"CHEKT_ADOPT_EXISTING": "true"})

    assert settings.adopt_existing is False


def test_a_provider_with_an_api_of_its_own_asks_that_for_its_token() -> None:
    """Its secret never goes to another API's token endpoint, whether the environment or the stack names that API."""
    inputs = {**APP, "chekt:baseUrl": "https://a.example", "stack:tokenUrl": "https://token.example/stack"}

    settings = read_settings(inputs.get, ENVIRONMENT)

    assert (settings.base_url, settings.token_url) == ("https://a.example", "https://a.example/oauth/token")


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        (
            {"chekt:clientId": "app-a"},
            "client_secret of Provider 'dealer-a' is missing while client_id is set: pass it to the Provider.",
        ),
        (
            {"chekt:clientSecret": "secret-a"},
            "client_id of Provider 'dealer-a' is missing while client_secret is set: pass it to the Provider.",
        ),
        (
            {"chekt:clientId": "app-a", "chekt:clientSecret": "secret-a", "chekt:keyId": "k"},
            "key_id of Provider 'dealer-a' is set without private_key, whose id it is: set that too.",
        ),
        (
            {"chekt:baseUrl": "http://a.example"},
            "base_url of Provider 'dealer-a' begins with http://, which would send the credentials in clear: "
            "write https://.",
        ),
        ({"chekt:dealerId": "x"}, "dealer_id of Provider 'dealer-a' is not an id: write digits only, such as 12345."),
        ({"chekt:siteGuard": "no"}, "site_guard of Provider 'dealer-a' must be on or off."),
        ({"stack:siteGuard": "no"}, "chekt:siteGuard (CHEKT_SITE_GUARD) must be on or off."),
    ],
)
def test_what_is_wrong_with_a_provider_names_it_and_the_argument(inputs: dict[str, object], sentence: str) -> None:
    """What came from the stack's config is named as usual."""
    assert read_settings((NAME | inputs).get, {}).problems == (sentence,)


def test_a_secret_beside_a_key_names_both_arguments() -> None:
    """The environment is not mentioned, since it has no say."""
    settings = read_settings({**APP, "chekt:privateKey": "no.pem"}.get, {"CHEKT_CLIENT_SECRET": "secret-env"})

    assert settings.problems[0] == (
        "private_key of Provider 'dealer-a' is set beside client_secret: take one of them away."
    )


class _Inputs(Mocks):
    """Pulumi's own stand-in for the engine: keeps the inputs of the registered provider."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.seen = args.inputs
        return "an-id", args.inputs

    def call(self, args: MockCallArgs) -> Any:
        raise AssertionError("nothing is called")


def registered(**arguments: Any) -> dict[str, Any]:
    """The inputs that a Provider named dealer-a hands to Pulumi."""
    mocks = _Inputs()

    def run() -> None:
        pulumi.runtime.set_mocks(mocks)
        pulumi.runtime.set_all_config({"chekt:siteGuard": "off", "chekt:dealerId": "5", "chekt:clientId": "app-stack"})
        pulumi.runtime.test(lambda: Provider("dealer-a", **arguments))()  # type: ignore[no-untyped-call]

    contextvars.copy_context().run(run)
    return mocks.seen


def test_every_setting_is_an_argument_and_arrives_under_its_key() -> None:
    """One keyword each, secret and key encrypted; the stack's own values except those that say who somebody is."""
    urls = {"chekt:baseUrl": "https://api.a.example", "chekt:tokenUrl": "https://token.a.example/token"}
    given = {argument(key): urls.get(key, f"given {key}") for key in VARIABLES}
    keywords = inspect.signature(Provider.__init__).parameters.keys() - {"self", "resource_name", "opts"}

    assert keywords == given.keys()
    assert registered(**given) == {
        "chekt:provider": "dealer-a",
        "stack:siteGuard": "off",
        **{key: urls.get(key, f"given {key}") for key in VARIABLES},
        "chekt:clientSecret": {**SECRET, "value": "given chekt:clientSecret"},
        "chekt:privateKey": {**SECRET, "value": "given chekt:privateKey"},
    }


def test_an_argument_left_out_is_no_input() -> None:
    """It is not even a blank one: a secret that nobody gave does not show in the state."""
    assert registered() == {"chekt:provider": "dealer-a", "stack:siteGuard": "off"}


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("name", ["base_url", "token_url"])
def test_a_url_with_a_password_is_refused_before_it_is_in_the_state(name: str, later: bool) -> None:
    """The program may know it only at run time; the password is not repeated."""
    url = "https://app:hunter2@api.chekt.com"

    with pytest.raises(pulumi.RunError) as caught:
        registered(**{name: pulumi.Output.from_input(url) if later else url})

    assert str(caught.value) == (
        f"Could not declare Provider 'dealer-a': {name} holds a user name or password: take them out, credentials have "
        "settings of their own."
    )
