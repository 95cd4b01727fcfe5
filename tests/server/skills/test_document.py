"""SKILL.md: whatever is written is read back, byte for byte."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from akmatori_server.errors import BadRequest
from akmatori_server.files import UnsafePathError
from akmatori_server.files.directory import checked_name
from akmatori_server.skills.document import (
    Document,
    InvalidSkillError,
    prompt_of,
    read_document,
    write_document,
)
from akmatori_server.skills.names import (
    is_script_name,
    is_skill_name,
    require_script_name,
    require_skill_name,
)

# What JSON can hold and the API lets in: no NUL, no unpaired surrogates.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=200)
MARKED = st.one_of(
    TEXTS, st.lists(st.sampled_from(["---", "\n", "\r\n", "---\n", "#", " ", "a: b"])).map("".join)
)


@example("0\x85", "")
@given(MARKED.filter(lambda text: text == "" or text.strip()), MARKED)
def test_a_document_comes_back_as_it_was(description: str, prompt: str) -> None:
    """Also one whose texts look like the marks between them."""
    document = Document(name="a-b", description=description, prompt=prompt, more={"metadata": {"x": "y"}})

    assert read_document(write_document(document)) == document
    assert prompt_of(write_document(document)) == prompt


@given(st.binary(max_size=300) | MARKED.map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Never with another error."""
    with suppress(InvalidSkillError):
        assert read_document(content).name

    assert prompt_of(content) is not None


def test_marks_of_windows_and_a_byte_order_mark_are_read() -> None:
    """The prompt keeps its line endings."""
    document = read_document(b"\xef\xbb\xbf---\r\nname: a\r\ndescription: d\r\n--- \r\nx\r\n")

    assert (document.name, document.description, document.prompt) == ("a", "d", "x\r\n")


@given(st.text(max_size=300))
def test_any_name_is_one_safe_step_or_refused(name: str) -> None:
    """What passes as a skill's or a script's name is plain ASCII, one step of a path, and no way up."""
    for check, require in ((is_skill_name, require_skill_name), (is_script_name, require_script_name)):
        if check(name):
            assert require(name) == checked_name(name) == name
            assert name.isascii()
            assert name.isprintable()
            assert not set(name) & set("/\\\x00 ~")
            assert name not in {".", ".."}
            assert len(name.encode()) <= 255
        else:
            with pytest.raises(BadRequest):
                require(name)


@given(st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True).filter(lambda name: len(name) <= 64))
def test_kebab_case_is_allowed(name: str) -> None:
    """Every name of the published pattern."""
    assert is_skill_name(name)


@given(
    st.from_regex(r"[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+", fullmatch=True).filter(lambda name: len(name) <= 255)
)
def test_the_published_script_names_are_allowed(name: str) -> None:
    """Every name of the published pattern."""
    assert is_script_name(name)


@pytest.mark.parametrize(
    "name", ["a\n", "a.sh\n", "\uff41.sh", "a\u2024sh", "a.sh\u200b", "é.sh", "e\u0301.sh"]
)
def test_look_alikes_are_refused(name: str) -> None:
    """Full-width letters, one-dot leaders, invisible characters, both spellings of an accent, a last newline."""
    assert not is_skill_name(name)
    assert not is_script_name(name)
    with pytest.raises(UnsafePathError):
        checked_name(name)
