"""Encrypting the secret members of JSON objects."""

from __future__ import annotations

import orjson
import pytest
from cryptography.fernet import Fernet

from akmatori_server.crypto import SecretBox, SecretUnreadableError
from akmatori_server.errors import BadRequest
from akmatori_server.secrets.vault import SecretMembers

PLACE = "tools:7:settings"
MEMBERS = SecretMembers(["password", "auth.token", "env.*", "keys.*.private"])
DOCUMENT = {
    "host": "db-1",
    "password": "p4ssword-one",
    "auth": {"kind": "bearer", "token": "t0ken-of-auth"},
    "env": {"A": "value-of-A", "B": ""},
    "keys": [{"name": "k", "private": "private-key-1"}, {"name": "l", "private": None}],
    "elsewhere": {"password": "not a secret here"},
}


@pytest.fixture
def box() -> SecretBox:
    """A box with a fresh key."""
    return SecretBox([Fernet.generate_key().decode()])


def test_what_is_sealed_opens_again(box: SecretBox) -> None:
    """Member for member, and the given object is not altered."""
    before = orjson.dumps(DOCUMENT)
    sealed = MEMBERS.seal(DOCUMENT, box, PLACE)

    assert MEMBERS.open(sealed, box, PLACE) == DOCUMENT
    assert orjson.dumps(DOCUMENT) == before


def test_no_secret_is_readable_in_what_is_stored(box: SecretBox) -> None:
    """What is no secret is, and empty members stay empty."""
    stored = orjson.dumps(MEMBERS.seal(DOCUMENT, box, PLACE)).decode()

    for secret in ("p4ssword-one", "t0ken-of-auth", "value-of-A", "private-key-1"):
        assert secret not in stored
    assert '"host":"db-1"' in stored
    assert '"B":""' in stored
    assert '"private":null' in stored


def test_what_is_shown_has_masks(box: SecretBox) -> None:
    """At every path, and nowhere else."""
    shown = MEMBERS.mask(MEMBERS.seal(DOCUMENT, box, PLACE), box, PLACE)

    assert shown == {
        "host": "db-1",
        "password": "****-one",
        "auth": {"kind": "bearer", "token": "****auth"},
        "env": {"A": "****of-A", "B": ""},
        "keys": [{"name": "k", "private": "****ey-1"}, {"name": "l", "private": None}],
        "elsewhere": {"password": "not a secret here"},
    }


def test_a_shown_object_sent_back_keeps_every_secret(box: SecretBox) -> None:
    """Beside what is changed."""
    stored = MEMBERS.seal(DOCUMENT, box, PLACE)
    shown = MEMBERS.mask(stored, box, PLACE)
    again = MEMBERS.seal({**shown, "host": "db-2", "password": "p4ssword-two"}, box, PLACE, stored=stored)

    opened = MEMBERS.open(again, box, PLACE)
    assert opened == {**DOCUMENT, "host": "db-2", "password": "p4ssword-two"}


@pytest.mark.parametrize(
    "written", [{"password": "****wxyz"}, {"auth": {"token": "****-one"}}, {"env": {"C": "****of-A"}}]
)
def test_the_mask_of_another_secret_is_refused(box: SecretBox, written: dict[str, object]) -> None:
    """A secret is never moved to another member by its mask."""
    stored = MEMBERS.seal(DOCUMENT, box, PLACE)

    with pytest.raises(BadRequest, match="mask of another secret"):
        MEMBERS.seal(written, box, PLACE, stored=stored)


def test_a_secret_cannot_be_read_in_another_place(box: SecretBox) -> None:
    """Neither copied to another object, nor to another member of the same one."""
    sealed = MEMBERS.seal(DOCUMENT, box, PLACE)

    with pytest.raises(SecretUnreadableError):
        MEMBERS.open(sealed, box, "tools:8:settings")
    with pytest.raises(SecretUnreadableError):
        MEMBERS.open({"auth": {"token": sealed["password"]}}, box, PLACE)


def test_secrets_of_any_type_are_kept(box: SecretBox) -> None:
    """Numbers and objects are masked whole."""
    written: dict[str, object] = {"password": 12345678, "auth": {"token": {"user": "u", "key": "k"}}}
    sealed = MEMBERS.seal(written, box, PLACE)

    assert MEMBERS.open(sealed, box, PLACE) == written
    assert MEMBERS.mask(sealed, box, PLACE) == {"password": "****", "auth": {"token": "****"}}


def test_a_path_that_leads_nowhere_is_no_error(box: SecretBox) -> None:
    """Whatever stands in its way."""
    for document in ({}, {"auth": "text", "env": [], "keys": {"a": 1}}, {"auth": None, "env": None}):
        assert MEMBERS.mask(MEMBERS.seal(document, box, PLACE), box, PLACE) == document


def test_with_the_key_lost_a_read_shows_that_there_is_a_secret(box: SecretBox) -> None:
    """And a write that sends the mask back keeps it for the day the key returns."""
    stored = MEMBERS.seal({"password": "p4ssword-one"}, box, PLACE)
    other = SecretBox([Fernet.generate_key().decode()])

    assert MEMBERS.mask(stored, other, PLACE) == {"password": "****"}
    assert MEMBERS.seal({"password": "****"}, other, PLACE, stored=stored) == stored
    with pytest.raises(SecretUnreadableError):
        MEMBERS.open(stored, other, PLACE)


def test_a_caller_cannot_pass_off_a_sealed_secret(box: SecretBox) -> None:
    """What looks like a stored secret is a value like any other when it is written."""
    stored = MEMBERS.seal({"password": "p4ssword-one"}, box, PLACE)
    again = MEMBERS.seal(stored, box, PLACE, stored=stored)

    assert MEMBERS.open(again, box, PLACE) == stored
    assert MEMBERS.mask(again, box, PLACE) == {"password": "****"}
