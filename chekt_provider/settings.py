"""Settings, from environment variables and from the stack's config.

The environment wins: Pulumi refreshes and destroys with the copy of the stack's config in the state, where a rotated
secret is stale. The environment never is.

An explicit Provider (explicit.py) takes credentials from its arguments only: filled in from the environment, the apps
of two dealers would silently be one. Its other arguments win over the environment; what they leave out comes from the
environment and the stack's config as ever. Pulumi gives such a provider its own inputs in place of the stack's config;
they hold a copy of the config under other keys.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from chekt_provider.errors import SettingsError
from chekt_provider.keys import BadKeyError, load_key
from chekt_provider.log import LEVELS
from chekt_provider.model.ids import id_digits
from chekt_provider.text import did_you_mean, shown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

DEFAULT_BASE_URL = "https://api.chekt.com"


@dataclass(frozen=True)
class Setting:
    """A setting.

    Attributes:
        variable: its environment variable.
        meaning: in a sentence, for people.
        is_identity: whether it says who calls: for whom a Provider works, and as which app.
        is_secret: whether nobody may see its value.
        is_how: whether it says how to call, such as how fast; the others say what to do.
    """

    variable: str
    meaning: str
    is_identity: bool = False
    is_secret: bool = False
    is_how: bool = False


SETTINGS = {
    "chekt:baseUrl": Setting("CHEKT_BASE_URL", f"The API. Left out: {DEFAULT_BASE_URL}."),
    "chekt:tokenUrl": Setting("CHEKT_TOKEN_URL", "The token endpoint. Left out: /oauth/token of the API."),
    "chekt:clientId": Setting("CHEKT_CLIENT_ID", "The app's client id.", is_identity=True),
    "chekt:clientSecret": Setting(
        "CHEKT_CLIENT_SECRET",
        "The app's client secret. Refused where it is set without --secret.",
        is_identity=True,
        is_secret=True,
    ),
    "chekt:privateKey": Setting(
        "CHEKT_PRIVATE_KEY",
        "In place of the secret: an RSA key that signs client assertions, as PEM or as the path of a file. Needs "
        "chekt-provider[jwt].",
        is_identity=True,
        is_secret=True,
    ),
    "chekt:keyId": Setting("CHEKT_KEY_ID", "The id under which CHeKT knows that key.", is_identity=True),
    "chekt:tokenAudience": Setting(
        "CHEKT_TOKEN_AUDIENCE", "The audience of client assertions. Left out: the token endpoint.", is_identity=True
    ),
    "chekt:dealerId": Setting("CHEKT_DEALER_ID", "The dealer of resources that name none.", is_identity=True),
    "chekt:adoptExisting": Setting(
        "CHEKT_ADOPT_EXISTING", "true: every station takes over one that has its external id already."
    ),
    "chekt:siteGuard": Setting("CHEKT_SITE_GUARD", "off: delete a station without looking at its sites."),
    "chekt:requestsPerMinute": Setting(
        "CHEKT_REQUESTS_PER_MINUTE", "The pace to keep. Left out: the plan that CHeKT's answers tell.", is_how=True
    ),
    "chekt:traceId": Setting(
        "CHEKT_TRACE_ID", "A UUID for all calls of a run. Left out: one for each operation.", is_how=True
    ),
}
"""Each setting, by its key in the stack's config."""

VARIABLES = {key: setting.variable for key, setting in SETTINGS.items()}
SECRETS = tuple(key for key, setting in SETTINGS.items() if setting.is_secret)
IDENTITY = frozenset(key for key, setting in SETTINGS.items() if setting.is_identity)

PROVIDER = "chekt:provider"
"""The key under which the inputs of an explicit Provider hold its name. No stack config has it."""

LOG_VARIABLE, DEBUG_VARIABLE = "CHEKT_LOG", "CHEKT_DEBUG"

_QUOTES = "\"'“”"
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]]*)(:[0-9]*)?", re.IGNORECASE)
_LAST_IS_NUMBER = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)\.?$")
"""Matches hosts that resolvers read as addresses in other forms: 2852039166, 0xa9fea9fe, 169.254.43518."""
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*\.?")


@dataclass(frozen=True)
class Settings:
    """The settings of one run.

    Attributes:
        base_url: scheme and host of the API, without a trailing slash.
        token_url: the OAuth 2.0 token endpoint.
        client_id, client_secret: the app's credentials; "" when absent. The secret is left out of repr.
        private_key: signs client assertions in place of the secret; None when absent.
        key_id: by which CHeKT knows the key; "" when absent.
        token_audience: the `aud` of a client assertion; "" is the token URL.
        dealer_id: digits; the dealer of resources that name none. "" when absent.
        adopt_existing: adopt stations that already have a declared external id.
        site_guard: look at the sites before a station is deleted.
        requests_per_minute: the pace to keep; None follows what CHeKT's answers say.
        trace_id: sent with every call of the run; "" gives each operation its own.
        log_level: "debug", "info", or "" for silence.
        problems: what is wrong in the settings themselves, a sentence each. Absent credentials are none.
        notes: what was corrected without asking, a sentence each.
        provider: the name of the explicit Provider whose settings these are; "" for those of a whole stack.
    """

    base_url: str = DEFAULT_BASE_URL
    token_url: str = f"{DEFAULT_BASE_URL}/oauth/token"
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    private_key: RSAPrivateKey | None = field(default=None, repr=False)
    key_id: str = ""
    token_audience: str = ""
    dealer_id: str = ""
    adopt_existing: bool = False
    site_guard: bool = True
    requests_per_minute: int | None = None
    trace_id: str = ""
    log_level: str = ""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    provider: str = ""

    @property
    def api_host(self) -> str:
        """The API's host as state keeps it, with its port where that is not 443; all of this machine's are one."""
        parts = urlsplit(self.base_url)
        host = parts.hostname or ""
        if is_loopback(host):
            return "localhost"
        return host if parts.port in (None, 443) else f"{host}:{parts.port}"

    @property
    def can_call(self) -> bool:
        """Whether there is something to get a token with, and nothing is wrong in the settings."""
        return bool(self.client_id) and not self.problems

    def require_credentials(self, action: str) -> None:
        """Raise a SettingsError that names the settings when there is nothing to get a token with."""
        if self.problems:
            raise SettingsError(self.problems[0].rstrip("."), action=action)
        if not self.client_id:
            remedy = (
                f"Pass client_id and client_secret to Provider {shown(self.provider)!r}: it takes no credentials from "
                "the environment or the stack's config."
                if self.provider
                else "Set chekt:clientId and chekt:clientSecret (`pulumi config set --secret chekt:clientSecret`), "
                "or CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET."
            )
            raise SettingsError("no credentials are set", action=action, remedy=remedy)


def argument(key: str) -> str:
    """The Provider's argument for a setting: "chekt:clientId" is client_id."""
    return re.sub("([A-Z])", r"_\1", key.removeprefix("chekt:")).lower()


def stack_key(key: str) -> str:
    """Where a Provider's inputs keep the stack's own value of a setting: "chekt:baseUrl" is at "stack:baseUrl"."""
    return key.replace("chekt:", "stack:", 1)


CONFIG_KEYS = (PROVIDER, *VARIABLES, *map(stack_key, VARIABLES))
"""Every key that a plugin's config may have."""


def decided(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of the environment that decide what is done, with their values; no secret.

    A URL on this machine loses its port, since an emulator takes another one each time. Every URL loses its user name
    and password: no call is made with them anyway.
    """
    names = [setting.variable for setting in SETTINGS.values() if not setting.is_secret and not setting.is_how]
    return {name: _place(environ[name]) for name in names if environ.get(name)}


def _place(value: str) -> str:
    """A value, or where it points if it is a URL."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return value.rpartition("@")[2]
    if not parts.netloc:
        return value
    host = "localhost" if is_loopback(parts.hostname or "") else parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host).geturl()


def read_settings(config: Callable[[str], object], environ: Mapping[str, str]) -> Settings:
    """Read all settings; what is wrong ends up in `problems`, never as an exception.

    Args:
        config: gives a stack config value by its full key ("chekt:baseUrl"), or None; or an input of a Provider.
        environ: the environment variables.
    """
    provider = config(PROVIDER)
    if not provider:
        return _Reader(config, environ).settings()
    given = {key for key in VARIABLES if config(key) not in (None, "")}
    own = IDENTITY | given | ({"chekt:tokenUrl"} if "chekt:baseUrl" in given else set())
    return _Reader(
        lambda key: config(key if key in own else stack_key(key)),
        {name: value for name, value in environ.items() if name not in {VARIABLES[key] for key in own}},
        str(provider),
        own,
    ).settings()


@dataclass(repr=False)
class _Reader:
    """Reads settings one by one and gathers their problems.

    Attributes:
        config: gives a value by its key.
        environ: wins over `config`.
        provider: the name of the Provider whose settings these are, if any.
        own: the keys of the settings that the Provider's arguments decide.
        problems, notes: as in `Settings`.
    """

    config: Callable[[str], object]
    environ: Mapping[str, str]
    provider: str = ""
    own: frozenset[str] = frozenset()
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def settings(self) -> Settings:
        self._refuse_unknown_variables()
        base_url = self._url("chekt:baseUrl", DEFAULT_BASE_URL, path_allowed=False)
        client_id, client_secret, private_key = self._credentials()
        return Settings(
            base_url=base_url,
            token_url=self._token_url(base_url),
            client_id=client_id,
            client_secret=client_secret,
            private_key=private_key,
            key_id=self._key_id(),
            token_audience=self._credential("chekt:tokenAudience"),
            dealer_id=self._dealer_id(base_url),
            adopt_existing=self._choice("chekt:adoptExisting", {"true": True, "false": False}, default=False),
            site_guard=self._choice("chekt:siteGuard", {"on": True, "off": False}, default=True),
            requests_per_minute=self._requests_per_minute(),
            trace_id=self._trace_id(),
            log_level=self._log_level(),
            problems=tuple(self.problems),
            notes=tuple(self.notes),
            provider=self.provider,
        )

    def _get(self, key: str) -> str:
        """The value as text, blank when absent: CI systems pass a missing secret as a blank variable."""
        value = self.environ.get(VARIABLES[key]) or self.config(key)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float):
            return id_digits(value) or str(value)
        return "" if value is None else str(value)

    def _blame(self, key: str, sentence: str) -> None:
        self.problems.append(f"{self._where(key)} {sentence}")

    def _where(self, key: str) -> str:
        """The setting as a person finds it."""
        if key in self.own:
            return f"{argument(key)} of Provider {shown(self.provider)!r}"
        return f"{key} ({VARIABLES[key]})"

    def _name(self, key: str) -> str:
        return argument(key) if key in self.own else key

    def _url(self, key: str, default: str, *, path_allowed: bool) -> str:
        url = self._get(key)
        if not url:
            return default
        if problem := url_problem(url, path_allowed=path_allowed):
            self._blame(key, problem)
            return default
        return url.rstrip("/")

    def _token_url(self, base_url: str) -> str:
        """The token endpoint. Base URL and token URL belong together, to one environment of CHeKT's."""
        of_api = f"{base_url}/oauth/token"
        from_environment = {
            key: self.environ.get(VARIABLES[key]) not in (None, "", self.config(key))
            for key in ("chekt:baseUrl", "chekt:tokenUrl")
        }
        if from_environment["chekt:baseUrl"] and not from_environment["chekt:tokenUrl"]:
            if "chekt:tokenUrl" not in self.own:
                return of_api
            self._blame("chekt:tokenUrl", f"is given, and the API by {VARIABLES['chekt:baseUrl']}: pass base_url too.")
        if from_environment["chekt:tokenUrl"] and not from_environment["chekt:baseUrl"] and self._get("chekt:baseUrl"):
            base, variable = self._name("chekt:baseUrl"), VARIABLES["chekt:baseUrl"]
            self._blame("chekt:tokenUrl", f"is set in the environment, and {base} is not: set {variable} too.")
        return self._url("chekt:tokenUrl", of_api, path_allowed=True)

    def _refuse_unknown_variables(self) -> None:
        known = [*VARIABLES.values(), LOG_VARIABLE, DEBUG_VARIABLE]
        for name in sorted(name for name in self.environ if name.startswith("CHEKT_") and name not in known):
            meant = did_you_mean(name, known, "CHEKT_")
            self.problems.append(f"{shown(name)} is no setting{meant} Unset it, or rename it.")

    def _credentials(self) -> tuple[str, str, RSAPrivateKey | None]:
        client_id = self._credential("chekt:clientId")
        client_secret = self._credential("chekt:clientSecret")
        given_key = self._get("chekt:privateKey")
        if client_id and not client_secret and not given_key:
            self._blame_missing("chekt:clientSecret", "chekt:clientId", "--secret chekt:clientSecret")
        if (client_secret or given_key) and not client_id:
            other = "chekt:clientSecret" if client_secret else "chekt:privateKey"
            self._blame_missing("chekt:clientId", other, "chekt:clientId …")
        if client_secret and given_key:
            # The environment wins, even over the other one in the stack config.
            from_environment = [key for key in SECRETS if self.environ.get(VARIABLES[key])]
            if from_environment == ["chekt:clientSecret"]:
                given_key = ""
            elif from_environment == ["chekt:privateKey"]:
                client_secret = ""
            else:
                secret = self._name("chekt:clientSecret")
                self._blame("chekt:privateKey", f"is set beside {secret}: take one of them away.")
        return client_id, client_secret, self._private_key(given_key)

    def _blame_missing(self, key: str, other: str, command: str) -> None:
        how = "pass it to the Provider." if key in self.own else f"run `pulumi config set {command}`."
        self._blame(key, f"is missing while {self._name(other)} is set: {how}")

    def _private_key(self, given: str) -> RSAPrivateKey | None:
        try:
            return load_key(given) if given else None
        except BadKeyError as error:
            self._blame("chekt:privateKey", str(error))
            return None

    def _key_id(self) -> str:
        key_id = self._credential("chekt:keyId")
        if key_id and not self._get("chekt:privateKey"):
            key = self._name("chekt:privateKey")
            self._blame("chekt:keyId", f"is set without {key}, whose id it is: set that too.")
        return key_id

    def _credential(self, key: str) -> str:
        given = self._get(key)
        value = given.rstrip("\r\n")
        if value != given:
            self.notes.append(f"{self._where(key)} ended with a line break, which was left out.")
        if value and value[0] in _QUOTES and value[-1] in _QUOTES:
            self._blame(key, "stands in quotes, which would be sent too: set it without them.")
        elif value and not _HEADER_SAFE.fullmatch(value):
            self._blame(key, "holds a blank or a character outside ASCII: copy it again.")
        return value

    def _dealer_id(self, base_url: str) -> str:
        """The dealer. Refuses two different ones in environment and stack config, except on this machine."""
        value = self._get("chekt:dealerId")
        of_stack = id_digits(self.config("chekt:dealerId"))
        if of_stack and id_digits(value) not in (None, of_stack) and not is_loopback(urlsplit(base_url).hostname or ""):
            both = f"is {of_stack} in the stack config, and {value} in the environment"
            self._blame("chekt:dealerId", f"{both}: unset the wrong one.")
        if value and not id_digits(value):
            self._blame("chekt:dealerId", "is not an id: write digits only, such as 12345.")
            return ""
        return value

    def _choice(self, key: str, choices: Mapping[str, bool], *, default: bool) -> bool:
        value = self._get(key)
        if value and value not in choices:
            self._blame(key, f"must be {' or '.join(choices)}.")
        return choices.get(value, default)

    def _requests_per_minute(self) -> int | None:
        value = self._get("chekt:requestsPerMinute")
        if value and not id_digits(value):
            self._blame("chekt:requestsPerMinute", "must be a whole number above 0, such as 60.")
            return None
        return int(value) if value else None

    def _log_level(self) -> str:
        """Stack config does not have it: it is for whoever runs the command."""
        level = self.environ.get(LOG_VARIABLE, "")
        if level in ("", *LEVELS):
            return level
        self.problems.append(f"{LOG_VARIABLE} must be debug or info.")
        return ""

    def _trace_id(self) -> str:
        value = self._get("chekt:traceId")
        try:
            return str(uuid.UUID(value)) if value else ""
        except ValueError:
            self._blame("chekt:traceId", "must be a UUID, such as 123e4567-e89b-12d3-a456-426614174000.")
            return ""


def url_problem(url: str, *, path_allowed: bool) -> str | None:
    """What is wrong with the URL of an API that gets credentials; None when nothing is."""
    if not _HEADER_SAFE.fullmatch(url):
        return "holds a blank, a control character or a letter outside ASCII: write the host in its ASCII form."
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not a URL: write it like https://api.chekt.com."
    if "?" in url or "#" in url:
        return "holds a query or fragment: write it without."
    return _part_problem(parts, host, path_allowed=path_allowed)


def _part_problem(parts: SplitResult, host: str, *, path_allowed: bool) -> str | None:
    if parts.username is not None or parts.password is not None:
        return "holds a user name or password: take them out, credentials have settings of their own."
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc) or not _is_host(host):
        return "is not a URL: write it like https://api.chekt.com."
    if parts.path.strip("/") and not path_allowed:
        return "holds a path: write scheme and host only, like https://api.chekt.com."
    if parts.scheme == "http" and not is_loopback(host):
        return "begins with http://, which would send the credentials in clear: write https://."
    address = _address(host)
    if address is not None and address.is_link_local:
        return "points at a link-local address, where no API of CHeKT is: write the API's host name."
    return None


def _is_host(host: str) -> bool:
    is_name = _HOST_NAME.fullmatch(host) is not None and _LAST_IS_NUMBER.search(host) is None
    return _address(host) is not None or is_name


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, as IPv4 where IPv6 maps one; None for a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
