"""Text from outside appears on one line and cannot steer the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_provider.text import Hidden, shown, unsafe

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    "character",
    [
        "\x00",  # NUL
        "\x1b",  # ESC
        "\n",
        "\x7f",  # DEL
        "\x85",  # next line, C1
        "\x9b",  # CSI, C1
        "\xad",  # soft hyphen
        "\u061c",  # Arabic letter mark
        "\u200b",  # zero width space
        "\u200e",  # left-to-right mark
        "\u2028",  # line separator
        "\u2029",  # paragraph separator
        "\u202e",  # right-to-left override
        "\u2066",  # left-to-right isolate
        "\ufeff",  # byte order mark
        "\ud800",  # lone surrogate
        "\U000e0041",  # tag character
    ],
)
def test_a_character_that_steers_hides_or_turns_is_unsafe(character: str) -> None:
    """Control, format and separator characters and lone surrogates are unsafe."""
    assert unsafe(character)


@pytest.mark.parametrize("character", [*"aZ5 -_'\"<é", "ß", "\xa0", "字", "ع", "\u0301", "🚒", "\u200c", "\u200d"])
def test_a_character_that_words_are_written_with_is_safe(character: str) -> None:
    """Letters of all scripts, blanks, emoji and the joiners in their spelling are safe."""
    assert not unsafe(character)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Central Station", "Central Station"),
        ("", ""),
        ("two\r\nlines\tand  blanks ", "two lines and blanks"),
        ("\x1b[2J\x1b]0;title\x07", "\\u001b[2J\\u001b]0;title\\u0007"),
        ("left\u202etfel", "left\\u202etfel"),
        ("\x9b31m", "\\u009b31m"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\ue0041"),
        ("👩\u200d🚒", "👩\u200d🚒"),
    ],
)
def test_text_is_shown_on_one_line_with_unsafe_characters_by_code_point(text: str, line: str) -> None:
    """Blanks and line breaks become one blank; unsafe characters are escaped; the rest stays as it is."""
    assert shown(text) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a" * 10, "a" * 10),
        ("a" * 11, "a" * 9 + "…"),
        ("\x1b\x1b", "\\u001b\\u0…"),
    ],
)
def test_a_shown_line_is_no_longer_than_asked(text: str, line: str) -> None:
    """The limit counts what is printed: escapes count in full, and a cut shows as an ellipsis."""
    assert shown(text, 10) == line


@given(ANY_TEXT)
def test_whatever_comes_is_safe_and_short_once_shown(text: str) -> None:
    """A shown text holds nothing unsafe, has at most 200 characters, and does not change when shown again."""
    line = shown(text)

    assert not any(unsafe(character) for character in line)
    assert len(line) <= 200
    assert shown(line) == line


def test_what_is_hidden_is_in_no_sentence() -> None:
    """Case and quotes do not matter; a short one is hidden only in quotes, since many words would contain it."""
    hidden = Hidden()
    hidden.add("Canary\nStreet")
    hidden.add("7")
    hidden.add("")

    assert hidden.mask("name 'CANARY STREET', linecard '7' of 17: canary street, \"7\"") == (
        "name [secret], linecard [secret] of 17: [secret], [secret]"
    )


def test_what_is_hidden_is_hidden_in_json_and_html_too() -> None:
    """CHeKT may show what it was sent in its own spelling."""
    hidden = Hidden()
    hidden.add("Süd & <9>")

    assert hidden.mask(r"name S\u00fcd & <9>, Süd &amp; &lt;9&gt;") == "name [secret], [secret]"
