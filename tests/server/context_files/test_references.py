"""Finding references and judging names: the fast ways give what the simple ones would."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_server.context_files.names import (
    ENDINGS,
    original_name,
    require_media_type,
    require_name,
)
from akmatori_server.context_files.references import references_in
from akmatori_server.errors import BadRequest
from akmatori_server.files.directory import checked_name

PIECES = st.lists(
    st.sampled_from(["[", "]", "[[", "]]", "a.md", " ", "](assets/", ")", "b", "\n", "[x](assets/c.md)"]),
    max_size=25,
).map("".join)


@given(PIECES)
def test_references_are_those_of_the_published_patterns(text: str) -> None:
    """Double brackets first, each name once."""
    brackets = [name.strip() for name in re.findall(r"\[\[([^\]]+)\]\]", text)]
    links = re.findall(r"\[[^\]]*\]\(assets/([^)\s]+)\)", text)

    assert references_in(text) == list(dict.fromkeys([name for name in [*brackets, *links] if name]))


@pytest.mark.parametrize("piece", ["[", "[[", "[[a]", "](assets/", "[](assets/", "[x](assets/ ", "[]"])
def test_a_megabyte_of_brackets_takes_no_time(piece: str) -> None:
    """A pattern would take hours."""
    text = piece * (1_000_000 // len(piece))
    begun = time.process_time()
    references_in(text)
    references_in(text + " )]]")

    assert time.process_time() - begun < 20


@given(
    st.text(max_size=40) | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,9}\.(md|MD|exe|pdf)", fullmatch=True)
)
def test_a_name_is_allowed_or_refused(name: str) -> None:
    """What is allowed is plain, has one dot and one of the endings, and cannot leave the directory."""
    try:
        require_name(name)
    except BadRequest:
        return
    assert checked_name(name) == name
    assert name.count(".") == 1
    assert name.rsplit(".", 1)[1].lower() in ENDINGS
    assert not name.startswith(("-", "_", "."))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        ".md",
        "a.b.md",
        "../a.md",
        "a/b.md",
        "a b.md",
        "a.exe",
        "a.md\n",
        "a.md\x00",
        "é.md",
        "x" * 253 + ".md",
    ],
)
def test_names_that_are_not_allowed(name: str) -> None:
    """With a sentence that begins with the member's name."""
    with pytest.raises(BadRequest, match=r"^filename: "):
        require_name(name)


@given(st.text(max_size=60))
def test_a_media_type_can_be_a_header(text: str) -> None:
    """What passes is printable ASCII without a line's end."""
    try:
        kept = require_media_type(text)
    except BadRequest:
        return
    assert kept.isascii()
    assert kept.isprintable()
    assert "/" in kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a.md", "a.md"),
        ("C:\\x\\a b.md", "a b.md"),
        ("/etc/passwd", "passwd"),
        ("a\r\nb\x00.md", "ab.md"),
        ("..", ".."),
    ],
)
def test_the_original_name_is_one_step(sent: str, kept: str) -> None:
    """Without what cannot be shown; it is never used as a path."""
    assert original_name(sent) == kept
