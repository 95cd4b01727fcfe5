"""How secrets are shown, and what a mask that is sent back means."""

from __future__ import annotations

import pytest

from akmatori_server.errors import BadRequest
from akmatori_server.secrets.masking import is_mask, keeps, mask


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("", ""), ("a", "****"), ("abcde", "****"), ("abcdef", "****cdef"), ("sk-EXAMPLE-cdef", "****cdef")],
)
def test_a_mask_shows_the_end_of_a_long_secret_only(secret: str, shown: str) -> None:
    """Of a short one, that there is one."""
    assert mask(secret) == shown


@pytest.mark.parametrize("text", ["****", "****cdef"])
def test_a_mask_is_known_as_one(text: str) -> None:
    """Whatever it masks."""
    assert is_mask(text)


@pytest.mark.parametrize("text", ["", "cdef", "***cdef", "****cde", "****a-real-secret-of-stars"])
def test_what_no_read_ever_shows_is_no_mask(text: str) -> None:
    """It is a secret like any other."""
    assert not is_mask(text)


def test_only_the_mask_of_what_is_stored_keeps_it() -> None:
    """The mask of another secret is refused, by the name of the member; anything else replaces."""
    assert keeps("****cdef", "****cdef", member="token")
    assert not keeps("new-secret", "****cdef", member="token")
    with pytest.raises(BadRequest, match="token"):
        keeps("****wxyz", "****cdef", member="token")
    with pytest.raises(BadRequest, match="token"):
        keeps("****", "", member="token")
