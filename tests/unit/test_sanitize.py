from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_cd.sanitize import comma_list, did_you_mean, quoted, sanitize, single_line, without_credentials

COMMAND = re.compile(r"##(\[|vso\[)", re.IGNORECASE)
PARTS = [
    "#",
    "##",
    "###",
    "vso[",
    "[",
    "VSO[",
    "task.setvariable]",
    "\x1b[31m",
    "\x00",
    "\n",
    "\r",
    "\u202e",
    "\u200b",
    "x",
]
hostile = st.one_of(st.text(), st.lists(st.sampled_from(PARTS)).map("".join))


def dangerous(text: str) -> list[str]:
    """Return the characters that a terminal or a reader would be misled by."""
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    scripts = {0x600, 0x6DD, 0x70F, 0x890, 0x8E2, 0x110BD, 0x110CD, 0x13430, 0x1BCA0}  # visible marks of their script
    blocks = {code >> 4 for code in scripts}
    return [c for c in text if unicodedata.category(c) in hidden and c not in "\n\t" and ord(c) >> 4 not in blocks]


@given(hostile)
def test_neutral_text_holds_no_command_and_no_hidden_character(text: str) -> None:
    safe = sanitize(text)
    assert not COMMAND.search(safe)
    assert not dangerous(safe)


@given(hostile)
def test_neutral_text_stays_as_it_is_when_made_neutral_again(text: str) -> None:
    assert sanitize(sanitize(text)) == sanitize(text)


@given(hostile, hostile)
def test_two_neutral_texts_on_two_lines_hold_no_command(one: str, other: str) -> None:
    assert not COMMAND.search(f"{sanitize(one)}\n{sanitize(other)}")


@given(hostile)
def test_one_line_is_one_line(text: str) -> None:
    line = single_line(text)
    assert len(line.splitlines()) <= 1
    assert not COMMAND.search(line)
    assert not dangerous(line)
    assert "\t" not in line


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"], exclude_characters="#")))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert sanitize(text) == text
    assert single_line(text) == text


def test_line_feeds_and_tabs_stay_in_neutral_text() -> None:
    assert sanitize("a\n\tb") == "a\n\tb"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("##vso[task.setvariable]x", "# #vso[task.setvariable]x"),
        ("##[error]x", "# #[error]x"),
        ("###VSO[x]", "## #VSO[x]"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nb", "a\\x0d\\nb"),
        ("\u202eabc", "\\u202eabc"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_was_taken_apart_stays_visible(raw: str, shown: str) -> None:
    assert single_line(raw) == shown


@given(hostile)
def test_a_quoted_value_is_short_harmless_and_between_quotes(value: str) -> None:
    shown = quoted(value)
    assert shown.startswith("'")
    assert len(shown.splitlines()) == 1
    assert not COMMAND.search(shown)
    assert not dangerous(shown)
    assert len(shown) < 80 * 10 + 40


def test_a_long_value_is_cut_and_says_how_long_it_was() -> None:
    assert quoted("x" * 500) == "'" + "x" * 80 + "' ... (500 characters)"


def test_a_long_list_says_how_many_more_there_are() -> None:
    assert comma_list(["a", "b", "c"], most=2) == "a, b, and 1 more"
    assert comma_list(["a", "b"]) == "a, b"


def test_the_nearest_name_is_offered_and_a_far_one_is_not() -> None:
    assert did_you_mean("my-apo", ["my-api", "other"]) == " Did you mean 'my-api'?"
    assert did_you_mean("zzz", ["my-api", "other"]) == ""


@pytest.mark.parametrize("name", ["PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "STRIPE_API_KEY"])
def test_the_value_of_a_listed_environment_variable_is_removed(name: str) -> None:
    assert without_credentials(f"env {name}: hunter2/x and more") == f"env {name}: (removed) and more"


def test_prose_about_a_token_is_kept() -> None:
    assert without_credentials("invalid token: expired") == "invalid token: expired"
