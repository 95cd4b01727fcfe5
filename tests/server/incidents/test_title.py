"""Titles made from the words that opened an incident."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_server.incidents.title import LONGEST_TITLE, title_of


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Check disk on db-1", "Check disk on db-1"),
        ("  Alert: disk full  ", "disk full"),
        ("INCIDENT: incident: twice", "incident: twice"),
        ("first line\nsecond line", "first line"),
        ("\n\n  late first line\nmore", "late first line"),
        ("*Alert:* the prefix may be bold", "the prefix may be bold"),
        ("<@U123> please look at <#C9|ops>", "please look at #ops"),
        (
            "see <https://wiki.example.net/x|the wiki> or <https://example.net>",
            "see the wiki or https://example.net",
        ),
        ("`df -h` says *full* and _slow_ and ~gone~", "df -h says full and slow and gone"),
        ("node_load_1m on a_b_c is 2*3*4", "node_load_1m on a_b_c is 2*3*4"),
        ("disk < 5% and load > 3", "disk < 5% and load > 3"),
        (":fire: burning :smile: at 10:30:15", "burning at 10:30:15"),
        ("", "Incident from api"),
        (" \n\t", "Incident from api"),
        ("Alert:", "Incident from api"),
        ("nul\x00 and \ud800", "nul\ufffd and \ufffd"),
    ],
)
def test_a_title_is_the_plain_first_line(text: str, title: str) -> None:
    """Markup and one prefix go, the first line stays, nothing left names the source."""
    assert title_of(text, source="api") == title


def test_a_long_title_is_cut_at_the_last_blank() -> None:
    """Eighty characters at most, at a word's end when one lies past the fortieth."""
    title = title_of("word " * 30, source="api")

    assert title == "word " * 14 + "word..."


def test_eighty_characters_stay_whole() -> None:
    """The limit itself is allowed."""
    assert title_of("x" * 80, source="api") == "x" * 80


def test_a_long_word_is_cut_by_characters_not_bytes() -> None:
    """A text without blanks in a script of three bytes a letter keeps 77 letters."""
    assert title_of("障" * 200, source="api") == "障" * 77 + "..."


def test_an_early_blank_is_no_place_to_cut() -> None:
    """A blank before the fortieth character would throw most of the title away."""
    assert title_of("short " + "x" * 100, source="api") == ("short " + "x" * 71) + "..."


@given(st.text(st.characters(), max_size=300))
def test_every_text_has_a_storable_title(text: str) -> None:
    """Whatever comes in, the title is one short line of valid characters and never empty."""
    title = title_of(text, source="api")

    assert 0 < len(title) <= LONGEST_TITLE
    assert "\n" not in title
    assert "\x00" not in title
    title.encode("utf-8")
