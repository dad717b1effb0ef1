"""The key that signs client assertions: each fault is one sentence, and the key is never shown."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from chekt_provider.errors import SettingsError
from chekt_provider.settings import Settings, read_settings

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey
RSA = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505 - the one that is too short


def pem(key: Key, form: PrivateFormat = PrivateFormat.PKCS8, lock: KeySerializationEncryption | None = None) -> str:
    """The PEM text of a key."""
    return key.private_bytes(Encoding.PEM, form, lock or NoEncryption()).decode()


GOOD = pem(RSA)
PUBLIC = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
LOCK = BestAvailableEncryption(b"canary")

SETTING = "chekt:privateKey (CHEKT_PRIVATE_KEY) "
NO_PATH = "is neither a PEM text nor the path of a file that can be read."
NO_PEM = "is no private key in PEM form: it begins with -----BEGIN PRIVATE KEY-----."
ENCRYPTED = "is encrypted: take the password off, and keep the key as a secret instead."
LITERAL = "holds the two characters \\n where line breaks belong: keep the key in a file and set its path."
NOT_RSA = "is not an RSA key: CHeKT takes RSA keys only."
NO_LIBRARY = "needs two more libraries: pip install 'chekt-provider[jwt]'."


def settings_of(key: str, **more: str) -> Settings:
    """The settings of an app whose private key is in the environment."""
    return read_settings(lambda _: None, {"CHEKT_CLIENT_ID": "app-1", "CHEKT_PRIVATE_KEY": key, **more})


def number_of(settings: Settings) -> int:
    """What distinguishes one key from another."""
    assert settings.private_key is not None
    return settings.private_key.private_numbers().d


# good ones


@pytest.mark.parametrize(
    "key",
    [
        GOOD,
        pem(RSA, PrivateFormat.TraditionalOpenSSL),
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\r\n"),
        f"\n\n{GOOD}\n\n",
        f"Bag Attributes\n    friendlyName: M\u00fcller\n{GOOD}",
    ],
)
def test_a_key_is_taken_as_pem_text_and_from_a_file(key: str, tmp_path: Path) -> None:
    """PKCS #8 or PKCS #1, with the line breaks of any system, and the remarks that tools write above it."""
    (tmp_path / "key.pem").write_bytes(key.encode())

    for setting in (key, str(tmp_path / "key.pem")):
        settings = settings_of(setting)
        assert settings.problems == ()
        assert number_of(settings) == RSA.private_numbers().d


def test_a_path_may_begin_with_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell reads it the same way."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key.pem").write_text(GOOD)

    assert settings_of("~/key.pem").problems == ()
    assert number_of(settings_of("~/key.pem")) == RSA.private_numbers().d


def test_a_key_may_stand_in_the_stack_s_config() -> None:
    """Its id and the audience may be there too, like any other setting."""
    config = {
        "chekt:clientId": "app-1",
        "chekt:privateKey": GOOD,
        "chekt:keyId": "key-1",
        "chekt:tokenAudience": "https://auth.chekt.com",
    }

    settings = read_settings(config.get, {})

    assert (settings.problems, settings.key_id, settings.token_audience, settings.client_secret) == (
        (),
        "key-1",
        "https://auth.chekt.com",
        "",
    )
    assert number_of(settings) == RSA.private_numbers().d
    settings.require_credentials("list the stations")


def test_a_blank_key_is_an_absent_one() -> None:
    """CI systems pass a secret that does not exist as a blank variable."""
    settings = settings_of("", CHEKT_CLIENT_SECRET="s")

    assert (settings.private_key, settings.problems) == (None, ())


# bad ones


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (GOOD.replace("\n", "\\n"), LITERAL),
        (GOOD.replace("\n", "\\r\\n"), LITERAL),
        (pem(RSA, lock=LOCK), ENCRYPTED),
        (pem(RSA, PrivateFormat.TraditionalOpenSSL, LOCK), ENCRYPTED),
        (pem(ec.generate_private_key(ec.SECP256R1())), NOT_RSA),
        (pem(ed25519.Ed25519PrivateKey.generate()), NOT_RSA),
        (pem(dsa.generate_private_key(2048)), NOT_RSA),
        (pem(SHORT), "has 1024 bits: make one of at least 2048."),
        (PUBLIC, NO_PEM),
        ("-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n", NO_PEM),
        ("-----BEGIN PRIVATE KEY-----", NO_PEM),
        ("-----canary-----", NO_PEM),
        (GOOD[: len(GOOD) // 2], NO_PEM),
    ],
)
def test_a_bad_key_is_one_sentence(key: str, sentence: str, tmp_path: Path) -> None:
    """Text and file get the same one; it says what to do, and repeats nothing of the key."""
    (tmp_path / "key.pem").write_bytes(key.encode())

    for setting in (key, str(tmp_path / "key.pem")):
        settings = settings_of(setting)
        assert settings.problems == (SETTING + sentence,)
        assert settings.private_key is None


@pytest.mark.parametrize(
    "path",
    [
        " ",
        "\n",
        "canary",
        "~/none/key.pem",
        "~nobody-of-this-name/key.pem",
        "/",
        ".",
        "/nonexistent/key.pem",
        "a\0b",
        "x" * 10_000,
        "\udcff",
        pytest.param(GOOD.splitlines()[1], id="a line of the key"),
    ],
)
def test_what_is_neither_text_nor_path_is_one_sentence(path: str) -> None:
    """Blanks, no file, a folder, another user's home, a line of the key itself; nothing of it is repeated."""
    assert settings_of(path).problems == (SETTING + NO_PATH,)


@pytest.mark.parametrize(
    "content", [b"", b"canary", RSA.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())]
)
def test_a_file_of_something_else_is_no_key(content: bytes, tmp_path: Path) -> None:
    """An empty file, other text, or the key in its binary form."""
    (tmp_path / "key").write_bytes(content)

    assert settings_of(str(tmp_path / "key")).problems == (SETTING + NO_PEM,)


@pytest.mark.parametrize("library", ["jwt", "cryptography"])
def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    """It says how to get both; without a key none is needed."""
    found = importlib.util.find_spec

    def not_found(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == library else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", not_found)

    assert settings_of(GOOD).problems == (SETTING + NO_LIBRARY,)
    assert settings_of("", CHEKT_CLIENT_SECRET="s").problems == ()


# what comes with it


@pytest.mark.parametrize(
    ("environ", "problems"),
    [
        (
            {"CHEKT_CLIENT_ID": "app-1", "CHEKT_CLIENT_SECRET": "canary", "CHEKT_PRIVATE_KEY": "none"},
            [f"{SETTING}is set beside chekt:clientSecret: take one of them away.", SETTING + NO_PATH],
        ),
        (
            {"CHEKT_CLIENT_ID": "app-1", "CHEKT_PRIVATE_KEY": GOOD, "CHEKT_KEY_ID": "key 1"},
            ["chekt:keyId (CHEKT_KEY_ID) holds a blank or a character outside ASCII: copy it again."],
        ),
        (
            {"CHEKT_CLIENT_ID": "app-1", "CHEKT_PRIVATE_KEY": GOOD, "CHEKT_TOKEN_AUDIENCE": '"https://x"'},
            [
                "chekt:tokenAudience (CHEKT_TOKEN_AUDIENCE) stands in quotes, which would be sent too: "
                "set it without them."
            ],
        ),
        ({"CHEKT_CLIENT_ID": "app-1", "CHEKT_PRIVATE_KEY": "none", "CHEKT_KEY_ID": "key-1"}, [SETTING + NO_PATH]),
    ],
)
def test_what_does_not_go_together_is_named(environ: dict[str, str], problems: list[str]) -> None:
    """One sentence each; the id of a bad key is not blamed as well."""
    assert list(read_settings(lambda _: None, environ).problems) == problems


# never shown


def test_the_key_is_in_no_text_of_the_settings() -> None:
    """repr, str and format leave it out, even in parts."""
    settings = settings_of(GOOD)

    for text in (repr(settings), str(settings), f"{settings}", str([settings])):
        assert "private_key" not in text
        assert "RSA" not in text
        assert GOOD.splitlines()[1] not in text


def test_an_operation_with_a_bad_key_is_refused_without_a_call() -> None:
    """The sentence becomes the cause; no other exception behind it could hold the key."""
    with pytest.raises(SettingsError) as caught:
        settings_of(pem(SHORT)).require_credentials("list the stations")

    assert str(caught.value) == (
        "Could not list the stations: chekt:privateKey (CHEKT_PRIVATE_KEY) has 1024 bits: make one of at least 2048. "
        "Nothing was changed."
    )
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
