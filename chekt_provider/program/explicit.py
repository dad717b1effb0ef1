"""Providers that a program makes itself, each an app of its own with its own credentials."""

from __future__ import annotations

from typing import cast

import pulumi
from pulumi import Input, Output, ResourceOptions

from chekt_provider.program.stack_config import refuse_bad_config, stack_config
from chekt_provider.settings import IDENTITY, PROVIDER, VARIABLES, stack_key, url_problem


class Provider(pulumi.ProviderResource):
    """The credentials and settings of one app, for the resources that name it in their options.

    For a program with several dealers, each of whom has an app:

        dealer_a = Provider("dealer-a", client_id="app-a", client_secret=config.require_secret("a"), dealer_id=12345)
        MonitoringStation("central", …, opts=pulumi.ResourceOptions(provider=dealer_a))

    It takes client_id, client_secret, private_key, key_id, token_audience and dealer_id from its arguments only, never
    from the environment or the stack's config. Its other arguments win over both, and for those left out
    there are the environment and the stack's config, in this order.

    Pulumi runs each Provider in a process of its own, which does not know what the others do: give all stations of one
    dealer the same Provider, else nothing notices that two of them are one. A station may move to another Provider and
    stays as it is, but not under a new name with adopt_existing in the same run: the one deletes what the other adopts.

    The arguments are in the state, the secrets encrypted; refresh and destroy use those of the last `pulumi up`. A
    changed argument updates the Provider; of its stations only another dealer_id replaces any.
    """

    def __init__(  # noqa: PLR0913 - one for each setting, each is named at the call
        self,
        resource_name: str,
        *,
        base_url: Input[str | None] = None,
        token_url: Input[str | None] = None,
        client_id: Input[str | None] = None,
        client_secret: Input[str | None] = None,
        private_key: Input[str | None] = None,
        key_id: Input[str | None] = None,
        token_audience: Input[str | None] = None,
        dealer_id: Input[int | str | None] = None,
        adopt_existing: Input[bool | None] = None,
        site_guard: Input[str | None] = None,
        requests_per_minute: Input[int | None] = None,
        trace_id: Input[str | None] = None,
        opts: ResourceOptions | None = None,
    ) -> None:
        """Declare a provider.

        Args:
            resource_name: Pulumi's name of the resource, unique in the program; errors name it.
            base_url: the API's scheme and host, such as "https://api.chektdev.com".
            token_url: the token endpoint. Default where base_url is given: /oauth/token of that.
            client_id: the app's client id.
            client_secret: the app's client secret. Always kept as a secret.
            private_key: in place of the secret: an RSA key that signs client assertions, as PEM or as the path of a
                file. Always kept as a secret.
            key_id: the id under which CHeKT knows that key.
            token_audience: the audience of client assertions. Default: the token endpoint.
            dealer_id: the dealer of the stations that name none.
            adopt_existing: every station takes over one that has its external id already.
            site_guard: "on", or "off": delete a station without looking at its sites.
            requests_per_minute: the pace to keep. Each Provider keeps its own.
            trace_id: a UUID for all calls of a run.
            opts: Pulumi's resource options.

        Raises:
            pulumi.RunError: the stack's config holds a secret in plain text or an unknown setting; or a URL may not be
                in the state, or credentials may not go to it.
        """
        refuse_bad_config()
        arguments = {
            "chekt:baseUrl": _url(resource_name, "base_url", base_url),
            "chekt:tokenUrl": _url(resource_name, "token_url", token_url),
            "chekt:clientId": client_id,
            "chekt:clientSecret": _secret(client_secret),
            "chekt:privateKey": _secret(private_key),
            "chekt:keyId": key_id,
            "chekt:tokenAudience": token_audience,
            "chekt:dealerId": dealer_id,
            "chekt:adoptExisting": adopt_existing,
            "chekt:siteGuard": site_guard,
            "chekt:requestsPerMinute": requests_per_minute,
            "chekt:traceId": trace_id,
        }
        stack = {stack_key(key): stack_config(key) for key in VARIABLES if key not in IDENTITY}
        super().__init__("pulumi-python", resource_name, {PROVIDER: resource_name, **stack, **arguments}, opts)


def _url(resource_name: str, name: str, url: Input[str | None]) -> Input[str | None]:
    """A URL, looked at before it is in the state: it may hold a password."""

    def looked_at(url: str | None) -> str | None:
        if url and (problem := url_problem(url, path_allowed=name == "token_url")):
            raise pulumi.RunError(f"Could not declare Provider {resource_name!r}: {name} {problem}")
        return url

    return (
        looked_at(url)
        if isinstance(url, str | None)
        else Output.from_input(cast(Output[str | None], url)).apply(looked_at)
    )


def _secret(value: Input[str | None]) -> Output[str | None] | None:
    return None if value is None else Output.secret(value)
