"""The words a search is asked for."""

from __future__ import annotations

import pytest

from akmatori_server.runbooks.terms import MOST_TERMS, search_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("NodeDiskFilling", ["nodediskfilling", "node", "disk", "filling"]),
        ("OOMKilled", ["oomkilled", "oom", "killed"]),
        ("HTTP5xxRate", ["http5xxrate", "http", "5xx", "rate"]),
        ("the disk is full and the disk is slow", ["disk", "full", "slow"]),
        ('title:"x" OR (NEAR* -"', ["title", "near"]),
        ("node_load_1m", ["node", "load", "1m"]),
        ("", []),
        ("' \" | & ! : * ( )", []),
        ("Größe 障害", ["größe", "障害"]),
    ],
)
def test_words_of_a_text(text: str, terms: list[str]) -> None:
    """Words, their parts, no stop words, nothing that a search would read as syntax."""
    assert search_terms(text) == terms


def test_a_page_of_text_is_cut() -> None:
    """The first words tell what it is about."""
    assert search_terms(" ".join(f"word{chr(97 + n % 26)}{n}" for n in range(500)))[0] == "worda0"
    assert len(search_terms(" ".join(f"word{n}" for n in range(500)))) == MOST_TERMS
