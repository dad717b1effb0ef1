"""Client assertions: a signed JWT in place of the client secret (RFC 7523)."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from chekt_provider.cli.command import command as typed
from chekt_provider.emulator import Emulator

if TYPE_CHECKING:
    from tests.emulator.conftest import Api, Time

MakeEmulator = Callable[..., Emulator]
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RSA = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505 - the one that is too short


def public(key: Key) -> str:
    """The PEM text of its public half."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private(key: Key) -> str:
    """The PEM text of the key."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def without_signature(assertion: str) -> str:
    """The same claims under `"alg": "none"`."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return f"{head}.{assertion.split('.')[1]}."


class Client:
    """A client that signs; `time` sets the emulator's time: Unix time 1,800,000,000."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims, changed; a change of ... removes that claim."""
        claims = {
            "iss": "emulator-client",
            "sub": "emulator-client",
            "aud": self.emulator.token_url,
            "exp": 1_800_000_060,
            "jti": "j-1",
        }
        return {name: value for name, value in (claims | changes).items() if value is not ...}

    def signed(self, key: Key = RSA, algorithm: str = "RS256", kid: str | None = None, **changes: Any) -> str:
        """An assertion."""
        claims = json.dumps(self.claims(**changes)).encode()  # PyJWT's own encode() would refuse some bad claims
        return jwt.PyJWS().encode(claims, key, algorithm, headers=None if kid is None else {"kid": kid})

    def ask(self, assertion: str, **changes: Any) -> requests.Response:
        """Ask for a token with an assertion and the fields of `changes`; a change of None removes that field."""
        form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": assertion}
        return requests.post(self.emulator.token_url, data=form | changes, timeout=20)

    def refusal(self, assertion: str, **changes: Any) -> str:
        """What a refused client reads."""
        answer = self.ask(assertion, **changes)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text
        told: str = answer.json()["error_description"]
        assert assertion not in told
        return told.removeprefix("client assertion refused: ")


@pytest.fixture
def make_client(make_emulator: MakeEmulator, time: Time) -> Callable[..., Client]:
    """Start an emulator that knows a public key, and give a client of it."""
    return lambda key_id=None: Client(make_emulator(public_key=public(RSA), key_id=key_id, clock=time))


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client()


def test_an_assertion_gets_a_token_that_works(client: Client) -> None:
    """It replaces the secret, which is not sent; the client id may be."""
    for n, fields in enumerate([{}, {"client_id": "emulator-client"}]):
        answer = client.ask(client.signed(jti=f"j-{n}"), **fields)

        assert answer.status_code == 200
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        dealer = f"{client.emulator.url}/partner/v1/dealers/12345"
        assert requests.get(dealer, headers=headers, timeout=20).status_code == 200


def test_the_secret_still_works_beside_a_registered_key(client: Client) -> None:
    """The environment names the secret."""
    form = {"grant_type": "client_credentials", "client_id": "emulator-client", "client_secret": "emulator-secret"}

    assert requests.post(client.emulator.token_url, data=form, timeout=20).status_code == 200
    assert client.emulator.environment()["CHEKT_CLIENT_SECRET"] == "emulator-secret"
    assert "CHEKT_PRIVATE_KEY" not in client.emulator.environment()


def test_the_audience_is_the_token_url_or_the_base_url(client: Client) -> None:
    """Each as it was called: on this machine, two names are usual. One among several will do."""
    url = client.emulator.url

    for n, audience in enumerate([f"{url}/oauth/token", url, ["https://other.example", url]]):
        assert client.ask(client.signed(aud=audience, jti=f"j-{n}")).status_code == 200

    local = url.replace("127.0.0.1", "localhost") + "/oauth/token"
    form = {"grant_type": "client_credentials", "client_assertion_type": TYPE}
    form["client_assertion"] = client.signed(aud=local, jti="j-local")
    assert requests.post(local, data=form, timeout=20).status_code == 200


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"key": OTHER}, "Signature verification failed"),
        ({"algorithm": "RS512"}, "The specified alg value is not allowed"),
        ({"algorithm": "PS256"}, "The specified alg value is not allowed"),
        ({"key": CURVE, "algorithm": "ES256"}, "The specified alg value is not allowed"),
        ({"iss": "another"}, "Invalid issuer"),
        ({"sub": "another"}, "sub is not the client id"),
        ({"aud": "https://api.chekt.com/oauth/token"}, "Audience doesn't match"),
        ({"aud": []}, 'Token is missing the "aud" claim'),
        ({"exp": 1_800_000_000}, "exp is not in the future"),
        ({"exp": 1_799_999_990}, "exp is not in the future"),
        ({"exp": 1_800_000_301}, "exp is more than 300 seconds ahead"),
        ({"exp": float("inf")}, "exp is more than 300 seconds ahead"),
        ({"exp": float("nan")}, "exp is not in the future"),
        ({"exp": 10**400}, "exp is more than 300 seconds ahead"),
        ({"exp": "1800000060"}, "exp is not in the future"),
        ({"exp": True}, "exp is not in the future"),
        ({"jti": ""}, "jti is not a text"),
        ({"jti": 7}, "JWT ID must be a string"),
        *(({claim: ...}, f'Token is missing the "{claim}" claim') for claim in ("iss", "sub", "aud", "exp", "jti")),
    ],
)
def test_an_assertion_that_fails_a_check_is_refused_with_its_name(
    client: Client, changes: dict[str, Any], told: str
) -> None:
    """401 invalid_client; the description says which check it was."""
    assert client.refusal(client.signed(**changes)) == told


def test_an_assertion_may_live_five_minutes_and_ends_with_its_life(client: Client, time: Time) -> None:
    """The emulator's clock decides."""
    assert client.ask(client.signed(exp=1_800_000_300, jti="j-1")).status_code == 200
    time.now += 299.9
    assert client.ask(client.signed(exp=1_800_000_300, jti="j-2")).status_code == 200
    time.now += 0.1
    assert client.refusal(client.signed(exp=1_800_000_300, jti="j-3")) == "exp is not in the future"


def test_an_assertion_is_good_for_one_request(client: Client) -> None:
    """Neither it nor another one with its jti is taken again; a refused one is not spent."""
    client.refusal(client.signed(key=OTHER))
    client.refusal(client.signed(exp=1_800_000_000))

    first = client.signed()
    assert client.ask(first).status_code == 200
    assert client.refusal(first) == "jti came before: an assertion is good for one request"
    assert client.refusal(client.signed(exp=1_800_000_200)) == "jti came before: an assertion is good for one request"
    assert client.ask(client.signed(jti="j-2")).status_code == 200


def test_the_kid_is_that_of_the_registered_key(make_client: Callable[..., Client]) -> None:
    """If one is registered; otherwise any will do, or none."""
    named = make_client(key_id="key-1")
    assert named.refusal(named.signed()) == "kid is not the id of the registered key"
    assert named.refusal(named.signed(kid="key-2")) == "kid is not the id of the registered key"
    assert named.ask(named.signed(kid="key-1")).status_code == 200

    nameless = make_client()
    assert nameless.ask(nameless.signed(kid="key-2")).status_code == 200


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"client_assertion_type": None}, f"client_assertion_type must be {TYPE}"),
        ({"client_assertion_type": "jwt-bearer"}, f"client_assertion_type must be {TYPE}"),
        ({"client_secret": "emulator-secret"}, "client_secret is given as well"),
        ({"client_id": "another"}, "client_id is another one"),
    ],
)
def test_the_fields_around_an_assertion_must_fit(client: Client, fields: dict[str, str | None], told: str) -> None:
    """The right type, no second proof, no other client."""
    assert client.refusal(client.signed(), **fields) == told


def test_an_assertion_without_a_signature_is_refused(client: Client) -> None:
    """`none` is refused, and so is a signature made with the public key as if it were a secret."""
    assert client.refusal(without_signature(client.signed())) == "The specified alg value is not allowed"
    head = base64.urlsafe_b64encode(b'{"alg": "HS256"}').rstrip(b"=").decode()
    assert client.refusal(f"{head}.{client.signed().split('.')[1]}.AAAA") == "The specified alg value is not allowed"


@pytest.mark.parametrize("junk", ["x", "..", "a.b.c", "\u00e9.\u00e9.\u00e9", "W10.W10.W10", "\x00", "[" * 100_000])
def test_junk_is_refused_like_any_other_assertion(client: Client, junk: str) -> None:
    """It gets a 401, and never makes the server fail."""
    assert client.refusal(junk)


def test_a_header_of_a_hundred_thousand_brackets_is_refused(client: Client) -> None:
    """Deep nesting ends in a refusal."""
    deep = base64.urlsafe_b64encode(b"[" * 99_999).decode()

    assert client.refusal(f"{deep}.{deep}.AAAA").startswith("Invalid header string")


def test_without_a_registered_key_no_assertion_is_taken(api: Api) -> None:
    """This is the usual emulator."""
    client = Client(api.emulator)

    assert client.refusal(client.signed()) == "no public key is registered"


def test_a_token_by_assertion_ends_and_is_revoked_as_any_other(client: Client) -> None:
    """That does not make a spent assertion good again."""
    assertion = client.signed()
    token = client.ask(assertion).json()["access_token"]

    client.emulator.revoke_tokens()

    url = f"{client.emulator.url}/partner/v1/dealers/12345"
    assert requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code == 401
    client.refusal(assertion)


def test_the_log_never_holds_an_assertion(client: Client) -> None:
    """Accepted or refused, wherever it was put."""
    good, bad = client.signed(), client.signed(key=OTHER)
    client.ask(good)
    client.ask(bad)
    requests.post(client.emulator.token_url, json={"client_assertion": bad}, timeout=20)
    requests.post(client.emulator.token_url, params={"client_assertion": bad}, timeout=20)

    assert [r.status for r in client.emulator.requests] == [200, 401, 400, 400]
    assert client.emulator.requests[0].body == {
        "grant_type": "client_credentials",
        "client_assertion_type": TYPE,
        "client_assertion": "***",
    }
    log = repr(client.emulator.requests) + requests.get(f"{client.emulator.url}/_emulator/requests", timeout=20).text
    for assertion in (good, bad):
        assert assertion not in log
        assert assertion.split(".")[2] not in log


# how a key is registered

NO_KEY = "it is no RSA public key in PEM form: it begins with -----BEGIN PUBLIC KEY-----"


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("", NO_KEY),
        ("canary", NO_KEY),
        (private(RSA), NO_KEY),
        (public(CURVE), NO_KEY),
        (public(SHORT), "it has 1024 bits: RS256 takes at least 2048"),
    ],
)
def test_a_bad_public_key_is_refused_at_the_start(key: str, told: str, tmp_path: Path) -> None:
    """One sentence; no state file is made."""
    with pytest.raises(ValueError, match="it ") as caught:
        Emulator(public_key=key, state=tmp_path / "state.db")

    assert str(caught.value) == told
    assert list(tmp_path.iterdir()) == []


def test_a_key_id_alone_is_refused() -> None:
    """It would be the id of nothing."""
    with pytest.raises(ValueError, match="a key id needs the public key whose id it is"):
        Emulator(key_id="key-1")


ASK = """
import os, sys, time, uuid, jwt, requests
url, client = os.environ["CHEKT_TOKEN_URL"], os.environ["CHEKT_CLIENT_ID"]
claims = {"iss": client, "sub": client, "aud": url, "exp": int(time.time()) + 60, "jti": str(uuid.uuid4())}
assertion = jwt.encode(claims, open(sys.argv[1]).read(), "RS256", headers={"kid": sys.argv[2]})
form = {"grant_type": "client_credentials", "client_assertion": assertion,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
answer = requests.post(url, data=form)
print(answer.status_code, answer.json().get("error_description"))
"""


def test_the_command_registers_a_key(tmp_path: Path) -> None:
    """A program inside it gets a token with the right kid, and none with another."""
    (tmp_path / "public.pem").write_text(public(RSA))
    (tmp_path / "private.pem").write_text(private(RSA))
    chekt = [sys.executable, "-c", "from chekt_provider.cli import main; main()", "emulator"]
    options = ["--public-key", str(tmp_path / "public.pem"), "--key-id", "key-1"]

    def run(kid: str) -> str:
        ask = ["--", sys.executable, "-c", ASK, str(tmp_path / "private.pem"), kid]
        return subprocess.run([*chekt, *options, *ask], capture_output=True, text=True, check=True).stdout

    assert run("key-1") == "200 None\n"
    assert run("key-2") == "401 client assertion refused: kid is not the id of the registered key\n"


def refused(capfd: pytest.CaptureFixture[str], *options: str) -> str:
    """The one line with which the command refuses to start."""
    with pytest.raises(SystemExit) as end:
        typed(["emulator", *options, "--", "echo", "ran"])
    out, err = capfd.readouterr()
    assert (end.value.code, out) == (2, "")
    return err


def test_a_bad_key_file_is_one_line_and_status_2(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A missing file, a folder, a file of something else, a key id without the key."""
    (tmp_path / "notes").write_bytes(b"\xff\xfecanary")

    assert refused(capfd, "--public-key", f"{tmp_path}/none") == (
        f"chekt emulator: --public-key: {tmp_path}/none: No such file or directory\n"
    )
    assert refused(capfd, "--public-key", f"{tmp_path}") == (
        f"chekt emulator: --public-key: {tmp_path}: Is a directory\n"
    )
    assert refused(capfd, "--public-key", f"{tmp_path}/notes") == (
        f"chekt emulator: --public-key: {tmp_path}/notes: {NO_KEY}\n"
    )
    assert refused(capfd, "--key-id", "key-1") == ("chekt emulator: --key-id: it needs --public-key, whose id it is\n")


@pytest.mark.parametrize("library", ["jwt", "cryptography"])
def test_a_missing_library_is_one_line_that_says_how_to_get_it(tmp_path: Path, library: str) -> None:
    """Without a registered key it needs none."""
    (tmp_path / "public.pem").write_text(public(RSA))
    absent = f"import sys; sys.modules[{library!r}] = None; from chekt_provider.cli import main; main()"
    chekt = [sys.executable, "-c", absent, "emulator"]

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [*chekt, *options, "--", "echo", "ran"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run().stdout == "ran\n"
    missing = run("--public-key", str(tmp_path / "public.pem"))
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == (
        f"chekt emulator: --public-key: {tmp_path}/public.pem: "
        "it needs two more libraries: pip install 'chekt-provider[jwt]'\n"
    )
