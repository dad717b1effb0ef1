"""Settings: where they come from, and one sentence for each thing that is wrong with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from chekt_provider.errors import SettingsError
from chekt_provider.settings import VARIABLES, Settings, read_settings

SECRET = "canary-9c1e"
APP = {"chekt:clientId": "app-1", "chekt:clientSecret": SECRET}

NO_URL = "is not a URL: write it like https://api.chekt.com."
BLANKS = "holds a blank, a control character or a letter outside ASCII: write the host in its ASCII form."
USER = "holds a user name or password: take them out, credentials have settings of their own."
QUERY = "holds a query or fragment: write it without."
PATH = "holds a path: write scheme and host only, like https://api.chekt.com."
PLAIN = "begins with http://, which would send the credentials in clear: write https://."
LINK_LOCAL = "points at a link-local address, where no API of CHeKT is: write the API's host name."
NO_ID = "is not an id: write digits only, such as 12345."
BAD_COPY = "holds a blank or a character outside ASCII: copy it again."
QUOTED = "stands in quotes, which would be sent too: set it without them."


def of_config(config: Mapping[str, object]) -> Settings:
    """The settings of a stack's config alone."""
    return read_settings(config.get, {})


def of_environment(environ: Mapping[str, str]) -> Settings:
    """The settings of environment variables alone."""
    return read_settings(lambda key: None, environ)


# where they come from


def test_without_any_setting_there_are_defaults_and_no_problem() -> None:
    """A preview needs no settings at all."""
    assert of_config({}) == Settings(
        base_url="https://api.chekt.com",
        token_url="https://api.chekt.com/oauth/token",
        client_id="",
        client_secret="",
        dealer_id="",
        adopt_existing=False,
        site_guard=True,
        requests_per_minute=None,
        trace_id="",
        problems=(),
        notes=(),
    )


ALL = {
    "chekt:baseUrl": "https://api.chektdev.com/",
    "chekt:tokenUrl": "https://auth.chektdev.com/oauth/token",
    "chekt:clientId": "app-1",
    "chekt:clientSecret": SECRET,
    "chekt:dealerId": "12345",
    "chekt:adoptExisting": "true",
    "chekt:siteGuard": "off",
    "chekt:requestsPerMinute": "60",
    "chekt:traceId": "123E4567-E89B-12D3-A456-426614174000",
}
READ = Settings(
    base_url="https://api.chektdev.com",
    token_url="https://auth.chektdev.com/oauth/token",
    client_id="app-1",
    client_secret=SECRET,
    dealer_id="12345",
    adopt_existing=True,
    site_guard=False,
    requests_per_minute=60,
    trace_id="123e4567-e89b-12d3-a456-426614174000",
)


def test_every_setting_is_read_from_the_stack_s_config() -> None:
    """Each under its own key."""
    assert of_config(ALL) == READ


def test_every_setting_is_read_from_the_environment() -> None:
    """Each under the variable that the table names."""
    assert of_environment({VARIABLES[key]: value for key, value in ALL.items()}) == READ


def test_the_variables_are_those_of_the_documentation() -> None:
    """Names are a promise."""
    assert VARIABLES == {
        "chekt:baseUrl": "CHEKT_BASE_URL",
        "chekt:tokenUrl": "CHEKT_TOKEN_URL",
        "chekt:clientId": "CHEKT_CLIENT_ID",
        "chekt:clientSecret": "CHEKT_CLIENT_SECRET",
        "chekt:privateKey": "CHEKT_PRIVATE_KEY",
        "chekt:keyId": "CHEKT_KEY_ID",
        "chekt:tokenAudience": "CHEKT_TOKEN_AUDIENCE",
        "chekt:dealerId": "CHEKT_DEALER_ID",
        "chekt:adoptExisting": "CHEKT_ADOPT_EXISTING",
        "chekt:siteGuard": "CHEKT_SITE_GUARD",
        "chekt:requestsPerMinute": "CHEKT_REQUESTS_PER_MINUTE",
        "chekt:traceId": "CHEKT_TRACE_ID",
    }


@pytest.mark.parametrize("key", sorted(ALL.keys() - {"chekt:baseUrl", "chekt:tokenUrl", "chekt:dealerId"}))
def test_the_environment_wins(key: str) -> None:
    """The config in the state may be stale; the environment never is."""
    assert read_settings({**ALL, key: "7"}.get, {VARIABLES[key]: ALL[key]}) == READ


@pytest.mark.parametrize("key", sorted(ALL))
def test_environment_and_stack_may_say_the_same(key: str) -> None:
    """So may those that belong together."""
    assert read_settings(ALL.get, {VARIABLES[key]: ALL[key]}) == READ


@pytest.mark.parametrize("key", sorted(ALL))
def test_a_blank_variable_is_an_absent_one(key: str) -> None:
    """CI systems pass a secret that does not exist as a blank variable."""
    assert read_settings(ALL.get, {VARIABLES[key]: ""}) == READ
    assert of_environment(dict.fromkeys(VARIABLES.values(), "")) == Settings()


@pytest.mark.parametrize(
    ("key", "given", "name", "read"),
    [
        ("chekt:dealerId", 12345.0, "dealer_id", "12345"),
        ("chekt:dealerId", 12345, "dealer_id", "12345"),
        ("chekt:requestsPerMinute", 600.0, "requests_per_minute", 600),
        ("chekt:adoptExisting", True, "adopt_existing", True),
        ("chekt:adoptExisting", False, "adopt_existing", False),
        ("chekt:adoptExisting", "false", "adopt_existing", False),
        ("chekt:siteGuard", "on", "site_guard", True),
        ("chekt:clientId", 77.0, "client_id", "77"),
    ],
)
def test_a_setting_may_arrive_as_a_number_or_a_boolean(key: str, given: object, name: str, read: object) -> None:
    """Pulumi carries numbers as floats."""
    settings = of_config({**APP, key: given})

    assert getattr(settings, name) == read
    assert settings.problems == ()


# what is wrong with them


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("api.chekt.com", NO_URL),
        ("ftp://api.chekt.com", NO_URL),
        ("https://", NO_URL),
        ("https:///x", NO_URL),
        ("https://api.chekt.com:99999", NO_URL),
        ("https://api.chekt.com:x", NO_URL),
        ("https://[::1", NO_URL),
        ("https://.chekt.com", NO_URL),
        ("https://api..chekt.com", NO_URL),
        ("https://*.chekt.com", NO_URL),
        ("https://api\\chekt.com", NO_URL),
        ("https://%61pi.chekt.com", NO_URL),
        ("https://-api.chekt.com", NO_URL),
        (f"https://{'a' * 64}.com", NO_URL),
        ("https://api.chekt.com ", BLANKS),
        ("https://api.chekt.com\r\nX-Evil: 1", BLANKS),
        ("https://api.chekt.com\n", BLANKS),
        ("https://api.ch\u0435kt.com", BLANKS),  # a Cyrillic letter that looks like an e
        ("https://\uff41pi.chekt.com", BLANKS),  # a full-width letter
        ("https://app:secret@api.chekt.com", USER),
        ("https://app@api.chekt.com", USER),
        ("https://@api.chekt.com", USER),
        ("https://api.chekt.com\\@evil.example", USER),
        ("https://api.chekt.com?x=1", QUERY),
        ("https://api.chekt.com?", QUERY),
        ("https://api.chekt.com#x", QUERY),
        ("https://api.chekt.com#", QUERY),
        ("http://api.chekt.com", PLAIN),
        ("http://localhost.evil.example", PLAIN),
        ("http://127.0.0.1.evil.example", PLAIN),
        ("http://10.0.0.1", PLAIN),
        ("http://0.0.0.0", PLAIN),
        ("http://169.254.169.254", PLAIN),
        ("https://169.254.169.254", LINK_LOCAL),
        ("https://[::ffff:169.254.169.254]", LINK_LOCAL),
        ("https://[::ffff:a9fe:a9fe]", LINK_LOCAL),
        ("https://2852039166", NO_URL),
        ("https://0xA9FEA9FE", NO_URL),
        ("https://169.254.43518", NO_URL),
        ("https://0251.0376.0251.0376", NO_URL),
        ("https://api.chekt.com.1", NO_URL),
        ("http://[::1]evil.example", NO_URL),
        ("https://[::1]:80evil.example", NO_URL),
        ("https://[fe80::1]", LINK_LOCAL),
    ],
)
@pytest.mark.parametrize("key", ["chekt:baseUrl", "chekt:tokenUrl"])
def test_a_url_that_credentials_must_not_go_to_is_refused(key: str, url: str, sentence: str) -> None:
    """Both URLs follow the same rule, with a sentence each; the value, which may hold a password, is not repeated."""
    settings = of_config({key: url})

    assert settings.problems == (f"{key} ({VARIABLES[key]}) {sentence}",)
    assert (settings.base_url, settings.token_url) == ("https://api.chekt.com", "https://api.chekt.com/oauth/token")


def test_only_the_token_url_may_have_a_path() -> None:
    """The API's own path follows from its documentation."""
    assert of_config({"chekt:baseUrl": "https://api.chekt.com/partner"}).problems == (
        f"chekt:baseUrl (CHEKT_BASE_URL) {PATH}",
    )
    assert of_config({"chekt:tokenUrl": "https://auth.chekt.com/a/token"}).token_url == "https://auth.chekt.com/a/token"


@pytest.mark.parametrize(
    ("given", "base_url", "token_url"),
    [
        ("https://api.chektdev.com", "https://api.chektdev.com", "https://api.chektdev.com/oauth/token"),
        ("https://api.chektdev.com//", "https://api.chektdev.com", "https://api.chektdev.com/oauth/token"),
        ("https://api.chektdev.com:8443", "https://api.chektdev.com:8443", "https://api.chektdev.com:8443/oauth/token"),
        ("https://xn--api-1na.com", "https://xn--api-1na.com", "https://xn--api-1na.com/oauth/token"),
        ("https://10.0.0.1", "https://10.0.0.1", "https://10.0.0.1/oauth/token"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000", "http://127.0.0.1:8000/oauth/token"),
        ("http://[::1]:8000", "http://[::1]:8000", "http://[::1]:8000/oauth/token"),
        ("http://localhost:8000", "http://localhost:8000", "http://localhost:8000/oauth/token"),
    ],
)
def test_a_good_url_is_taken_and_leads_to_the_token_s(given: str, base_url: str, token_url: str) -> None:
    """No trailing slash; http:// on this machine only; the token endpoint is the API's unless it is set."""
    settings = of_config({"chekt:baseUrl": given})

    assert (settings.base_url, settings.token_url, settings.problems) == (base_url, token_url, ())


@pytest.mark.parametrize(
    ("url", "api_host"),
    [
        ("https://api.chekt.com", "api.chekt.com"),
        ("https://API.CHEKT.com:443", "api.chekt.com"),
        ("https://api.chektdev.com", "api.chektdev.com"),
        ("https://api.chektdev.com:8443", "api.chektdev.com:8443"),
        ("http://localhost:1", "localhost"),
        ("http://LOCALHOST", "localhost"),
        ("http://127.0.0.1:2", "localhost"),
        ("http://127.9.9.9", "localhost"),
        ("http://[::1]:3", "localhost"),
        ("https://[::1]", "localhost"),
        ("https://localhost.example", "localhost.example"),
    ],
)
def test_the_api_s_host_is_one_name_for_all_of_this_machine(url: str, api_host: str) -> None:
    """A new port of the emulator is the same environment; on other hosts another port is another environment."""
    assert of_config({"chekt:baseUrl": url}).api_host == api_host


@pytest.mark.parametrize(
    ("config", "problems"),
    [
        (
            {"chekt:clientId": "app-1"},
            [
                "chekt:clientSecret (CHEKT_CLIENT_SECRET) is missing while chekt:clientId is set: "
                "run `pulumi config set --secret chekt:clientSecret`."
            ],
        ),
        (
            {"chekt:clientSecret": SECRET},
            [
                "chekt:clientId (CHEKT_CLIENT_ID) is missing while chekt:clientSecret is set: "
                "run `pulumi config set chekt:clientId …`."
            ],
        ),
        (
            {"chekt:clientId": "app-1", "chekt:clientSecret": "\n"},
            [
                "chekt:clientSecret (CHEKT_CLIENT_SECRET) is missing while chekt:clientId is set: "
                "run `pulumi config set --secret chekt:clientSecret`."
            ],
        ),
        ({**APP, "chekt:clientSecret": f'"{SECRET}"'}, [f"chekt:clientSecret (CHEKT_CLIENT_SECRET) {QUOTED}"]),
        ({**APP, "chekt:clientSecret": f"'{SECRET}'"}, [f"chekt:clientSecret (CHEKT_CLIENT_SECRET) {QUOTED}"]),
        (
            {**APP, "chekt:clientSecret": f"\u201c{SECRET}\u201d"},
            [f"chekt:clientSecret (CHEKT_CLIENT_SECRET) {QUOTED}"],
        ),
        ({**APP, "chekt:clientSecret": f" {SECRET}"}, [f"chekt:clientSecret (CHEKT_CLIENT_SECRET) {BAD_COPY}"]),
        ({**APP, "chekt:clientSecret": "   "}, [f"chekt:clientSecret (CHEKT_CLIENT_SECRET) {BAD_COPY}"]),
        ({**APP, "chekt:clientSecret": f"{SECRET}\r\nx"}, [f"chekt:clientSecret (CHEKT_CLIENT_SECRET) {BAD_COPY}"]),
        ({**APP, "chekt:clientSecret": f"{SECRET}\u2026"}, [f"chekt:clientSecret (CHEKT_CLIENT_SECRET) {BAD_COPY}"]),
        ({**APP, "chekt:clientId": "app 1"}, [f"chekt:clientId (CHEKT_CLIENT_ID) {BAD_COPY}"]),
        ({**APP, "chekt:clientId": '"app-1"'}, [f"chekt:clientId (CHEKT_CLIENT_ID) {QUOTED}"]),
        ({"chekt:dealerId": "../sites/5"}, [f"chekt:dealerId (CHEKT_DEALER_ID) {NO_ID}"]),
        ({"chekt:dealerId": "1_000"}, [f"chekt:dealerId (CHEKT_DEALER_ID) {NO_ID}"]),
        ({"chekt:dealerId": 12345.5}, [f"chekt:dealerId (CHEKT_DEALER_ID) {NO_ID}"]),
        ({"chekt:dealerId": True}, [f"chekt:dealerId (CHEKT_DEALER_ID) {NO_ID}"]),
        ({"chekt:dealerId": float(2**53)}, [f"chekt:dealerId (CHEKT_DEALER_ID) {NO_ID}"]),
        ({"chekt:adoptExisting": "yes"}, ["chekt:adoptExisting (CHEKT_ADOPT_EXISTING) must be true or false."]),
        ({"chekt:adoptExisting": 1.0}, ["chekt:adoptExisting (CHEKT_ADOPT_EXISTING) must be true or false."]),
        ({"chekt:siteGuard": "false"}, ["chekt:siteGuard (CHEKT_SITE_GUARD) must be on or off."]),
        ({"chekt:siteGuard": False}, ["chekt:siteGuard (CHEKT_SITE_GUARD) must be on or off."]),
    ]
    + [
        (
            {"chekt:requestsPerMinute": bad},
            ["chekt:requestsPerMinute (CHEKT_REQUESTS_PER_MINUTE) must be a whole number above 0, such as 60."],
        )
        for bad in ["0", 0.0, "-1", "1_000", 59.5, "many", "\uff16\uff10", "9" * 20]
    ]
    + [
        (
            {"chekt:traceId": bad},
            ["chekt:traceId (CHEKT_TRACE_ID) must be a UUID, such as 123e4567-e89b-12d3-a456-426614174000."],
        )
        for bad in ["run-7", "123e4567-e89b-12d3-a456-426614174000\r\nX-Evil: 1", "0"]
    ],
)
def test_each_bad_setting_is_named(config: dict[str, object], problems: list[str]) -> None:
    """Key, variable, and what to do; never the value."""
    settings = of_config(config)

    assert list(settings.problems) == problems
    assert SECRET not in "".join(problems)


# the key of a client assertion


def pem(key: PrivateKeyTypes, password: str = "") -> str:
    """A private key as text."""
    how = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()


RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
NO_KEY = "is no private key in PEM form: it begins with -----BEGIN PRIVATE KEY-----."
NO_FILE = "is neither a PEM text nor the path of a file that can be read."


def test_a_key_takes_the_place_of_the_secret() -> None:
    """It is PEM text, with the id by which CHeKT knows it; its repr shows nothing of it."""
    settings = of_config(
        {
            "chekt:clientId": "app-1",
            "chekt:privateKey": pem(RSA_KEY),
            "chekt:keyId": "key-1",
            "chekt:tokenAudience": "a",
        }
    )

    assert settings.problems == ()
    assert settings.private_key is not None
    assert settings.private_key.private_numbers() == RSA_KEY.private_numbers()
    assert (settings.key_id, settings.token_audience, settings.client_secret) == ("key-1", "a", "")
    assert "private_key" not in repr(settings)
    settings.require_credentials("list the stations")


def test_a_key_may_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the setting is its path; ~ is the home directory."""
    (tmp_path / "chekt.pem").write_text(pem(RSA_KEY))
    monkeypatch.setenv("HOME", str(tmp_path))

    for path in (str(tmp_path / "chekt.pem"), "~/chekt.pem"):
        settings = of_environment({"CHEKT_CLIENT_ID": "app-1", "CHEKT_PRIVATE_KEY": path})
        assert settings.problems == ()
        assert settings.private_key is not None


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (
            {"chekt:privateKey": pem(RSA_KEY), "chekt:clientSecret": SECRET},
            "chekt:privateKey (CHEKT_PRIVATE_KEY) is set beside chekt:clientSecret: take one of them away.",
        ),
        (
            {"chekt:privateKey": pem(RSA_KEY), "chekt:clientId": None},
            "chekt:clientId (CHEKT_CLIENT_ID) is missing while chekt:privateKey is set: "
            "run `pulumi config set chekt:clientId …`.",
        ),
        (
            {"chekt:keyId": "key-1", "chekt:clientSecret": SECRET},
            "chekt:keyId (CHEKT_KEY_ID) is set without chekt:privateKey, whose id it is: set that too.",
        ),
        *(
            ({"chekt:privateKey": bad}, f"chekt:privateKey (CHEKT_PRIVATE_KEY) {sentence}")
            for bad, sentence in [
                (
                    pem(RSA_KEY, password=SECRET),
                    "is encrypted: take the password off, and keep the key as a secret instead.",
                ),
                (pem(ec.generate_private_key(ec.SECP256R1())), "is not an RSA key: CHeKT takes RSA keys only."),
                (pem(WEAK_KEY), "has 1024 bits: make one of at least 2048."),
                (
                    pem(RSA_KEY).replace("\n", "\\n"),
                    "holds the two characters \\n where line breaks belong: keep the key in a file and set its path.",
                ),
                (pem(RSA_KEY).replace("PRIVATE", "PUBLIC"), NO_KEY),
                (f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n", NO_KEY),
                (f"-----\ud800{SECRET}", NO_KEY),
                (f"/nowhere/{SECRET}", NO_FILE),
                (f"~{SECRET}/key.pem", NO_FILE),
                (f"{SECRET}\x00", NO_FILE),
                (f"/{SECRET * 1000}", NO_FILE),
                ("/", NO_FILE),
            ]
        ),
    ],
)
def test_a_bad_key_is_named(config: dict[str, object], problem: str) -> None:
    """The error says what is wrong with it, and shows nothing of it."""
    settings = of_config({"chekt:clientId": "app-1", **config})

    assert settings.problems == (problem,)
    assert SECRET not in problem


# the log


@pytest.mark.parametrize(
    ("given", "level"),
    [({}, ""), ({"CHEKT_LOG": ""}, ""), ({"CHEKT_LOG": "debug"}, "debug"), ({"CHEKT_LOG": "info"}, "info")],
)
def test_the_log_is_asked_for_in_the_environment(given: dict[str, str], level: str) -> None:
    """Whoever runs the command asks: stack config has no such setting."""
    settings = of_environment(given)

    assert (settings.log_level, settings.problems) == (level, ())
    assert of_config({"chekt:log": "debug", "CHEKT_LOG": "debug"}).log_level == ""


def test_a_level_of_the_log_that_does_not_exist_is_named() -> None:
    """Debug and info exist."""
    assert of_environment({"CHEKT_LOG": "trace"}).problems == ("CHEKT_LOG must be debug or info.",)


# all at once


def test_all_problems_are_told_at_once() -> None:
    """In the order of the table; one bad setting never hides the others."""
    settings = of_environment(
        {
            "CHEKT_BASE_URL": "http://api.chekt.com",
            "CHEKT_CLIENT_ID": "app-1",
            "CHEKT_DEALER_ID": "x",
            "CHEKT_REQUESTS_PER_MINUTE": "600",
        }
    )

    assert settings.problems == (
        f"chekt:baseUrl (CHEKT_BASE_URL) {PLAIN}",
        "chekt:clientSecret (CHEKT_CLIENT_SECRET) is missing while chekt:clientId is set: "
        "run `pulumi config set --secret chekt:clientSecret`.",
        f"chekt:dealerId (CHEKT_DEALER_ID) {NO_ID}",
    )
    assert settings.requests_per_minute == 600


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\n"])
def test_a_line_break_at_the_end_of_a_credential_is_left_out_with_a_note(ending: str) -> None:
    """Files and secret stores add it; it is not part of the secret."""
    settings = of_config({"chekt:clientId": "app-1", "chekt:clientSecret": SECRET + ending})

    assert settings.client_secret == SECRET
    assert settings.problems == ()
    assert settings.notes == ("chekt:clientSecret (CHEKT_CLIENT_SECRET) ended with a line break, which was left out.",)


# secrets, and what is needed


def test_the_secret_is_in_no_text_of_the_settings() -> None:
    """repr, str and format leave it out."""
    settings = of_config(APP)

    assert settings.client_secret == SECRET
    for text in (repr(settings), str(settings), f"{settings}", f"{settings!r:s}", str([settings])):
        assert SECRET not in text


def test_settings_do_not_change() -> None:
    """Threads share them."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        of_config({}).base_url = "https://evil.example"  # type: ignore[misc]


def test_absent_credentials_are_told_when_a_call_needs_them() -> None:
    """A preview works without them."""
    with pytest.raises(SettingsError) as caught:
        of_config({}).require_credentials("create monitoring station 'central-01' of dealer 12345")

    assert str(caught.value) == (
        "Could not create monitoring station 'central-01' of dealer 12345: no credentials are set. "
        "Nothing was changed. Set chekt:clientId and chekt:clientSecret "
        "(`pulumi config set --secret chekt:clientSecret`), or CHEKT_CLIENT_ID and CHEKT_CLIENT_SECRET."
    )


def test_a_call_with_bad_settings_is_refused_with_the_first_problem() -> None:
    """Nothing is ever sent with wrong settings."""
    with pytest.raises(SettingsError) as caught:
        of_config({**APP, "chekt:siteGuard": "no"}).require_credentials("list the stations")

    assert str(caught.value) == (
        "Could not list the stations: chekt:siteGuard (CHEKT_SITE_GUARD) must be on or off. Nothing was changed."
    )


def test_good_credentials_are_enough() -> None:
    """No exception."""
    of_config(APP).require_credentials("list the stations")


@pytest.mark.parametrize("winner", ["chekt:clientSecret", "chekt:privateKey"])
def test_of_secret_and_key_the_one_in_the_environment_wins(tmp_path: Path, winner: str) -> None:
    """People who move from one to the other need not clean up the stack's config first."""
    path = tmp_path / "key.pem"
    path.write_text(pem(RSA_KEY))
    given = {"chekt:clientId": "app", "chekt:clientSecret": "canary", "chekt:privateKey": str(path)}

    settings = read_settings(given.get, {VARIABLES[winner]: given[winner]})

    assert settings.problems == ()
    assert (settings.client_secret == "canary") is (winner == "chekt:clientSecret")
    assert (settings.private_key is not None) is (winner == "chekt:privateKey")


# a stack that goes to the wrong place


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("CHEKT_CLIENTID", "CHEKT_CLIENTID is no setting; did you mean 'CHEKT_CLIENT_ID'? Unset it, or rename it."),
        ("CHEKT_BASEURL", "CHEKT_BASEURL is no setting; did you mean 'CHEKT_BASE_URL'? Unset it, or rename it."),
        ("CHEKT_FLEET_OF_ACME", "CHEKT_FLEET_OF_ACME is no setting. Unset it, or rename it."),
        ("CHEKT_OF_ACME_\x1b[31m", "CHEKT_OF_ACME_\\u001b[31m is no setting. Unset it, or rename it."),
    ],
)
def test_a_variable_that_is_no_setting_is_a_problem(variable: str, sentence: str) -> None:
    """If it were ignored, the stack would stay at the default."""
    assert of_environment({variable: "x"}).problems == (sentence,)


def test_variables_for_whoever_runs_the_command_are_settings() -> None:
    """A variable that begins otherwise does not matter to us."""
    assert of_environment({"CHEKT_LOG": "info", "CHEKT_DEBUG": "1", "CHEKTIFY": "x"}).problems == ()


OTHER_DEALER = (
    "chekt:dealerId (CHEKT_DEALER_ID) is 12345 in the stack config, and 777 in the environment: unset the wrong one.",
)


@pytest.mark.parametrize("dealer", ["12345", 12345.0])
def test_environment_and_stack_that_name_different_dealers_are_a_problem(dealer: object) -> None:
    """A leftover variable would move a stack to another dealer."""
    settings = read_settings({"chekt:dealerId": dealer}.get, {"CHEKT_DEALER_ID": "777"})

    assert settings.problems == OTHER_DEALER
    assert read_settings({"chekt:dealerId": dealer}.get, {"CHEKT_DEALER_ID": "12345"}).problems == ()


def test_on_this_machine_the_environment_may_name_another_dealer() -> None:
    """An emulator around a command has its own dealers."""
    here = {"CHEKT_DEALER_ID": "777", "CHEKT_BASE_URL": "http://127.0.0.1:8112"}

    assert read_settings({"chekt:dealerId": "12345"}.get, here).problems == ()


def test_a_base_url_of_the_environment_does_not_take_the_stack_s_token_url() -> None:
    """The token of one environment would go to another's host."""
    stack = {"chekt:baseUrl": "https://api.chekt.com", "chekt:tokenUrl": "https://auth.chekt.com/token"}

    settings = read_settings(stack.get, {"CHEKT_BASE_URL": "https://api.chektdev.com"})

    assert (settings.base_url, settings.token_url) == (
        "https://api.chektdev.com",
        "https://api.chektdev.com/oauth/token",
    )


def test_a_token_url_of_the_environment_does_not_go_with_the_stack_s_base_url() -> None:
    """It does not go the other way round either; it does go with the default API."""
    auth = {"CHEKT_TOKEN_URL": "https://auth.chekt.com/token"}

    assert read_settings({"chekt:baseUrl": "https://api.chektdev.com"}.get, auth).problems == (
        "chekt:tokenUrl (CHEKT_TOKEN_URL) is set in the environment, and chekt:baseUrl is not: set CHEKT_BASE_URL too.",
    )
    assert of_environment(auth).problems == ()


def test_a_provider_s_token_url_does_not_go_with_the_environment_s_base_url() -> None:
    """Its own token URL belongs to the environment that it means."""
    inputs = {"chekt:provider": "alpha", "chekt:tokenUrl": "https://auth.chekt.com/token"}

    assert read_settings(inputs.get, {"CHEKT_BASE_URL": "https://api.chektdev.com"}).problems == (
        "token_url of Provider 'alpha' is given, and the API by CHEKT_BASE_URL: pass base_url too.",
    )
