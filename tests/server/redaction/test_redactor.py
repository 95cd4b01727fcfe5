"""Secrets are masked wherever they turn up, and everything else stays readable."""

from __future__ import annotations

import base64
import json
import random
import re
import string
import time
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from akmatori_server.incidents.storable import JSON
from akmatori_server.redaction import Redactor
from tests.server.redaction.corpus import BODY, EVERYDAY, JWT, LETTERS, PEM, PLAIN, SECRETS

MASK = "****"


def test_what_looks_like_a_secret_is_masked_and_the_rest_of_its_line_is_kept() -> None:
    redact = Redactor()
    for text, secret, kept in SECRETS:
        assert secret in text, text
        masked = redact(text)
        assert secret not in masked, (text, masked)
        assert MASK in masked
        assert kept in masked, (text, masked)
        assert redact(masked) == masked, (text, masked)


def test_everyday_lines_stay_as_they_are() -> None:
    redact = Redactor(["not-in-any-of-them"])

    assert [(line, redact(line)) for line in EVERYDAY if redact(line) != line] == []
    together = "\n".join(line for line in EVERYDAY if not line.startswith("apiVersion"))
    assert redact(together) == together


def test_a_known_secret_is_found_in_every_form() -> None:
    secret = 'pä/ss "wörd"+\\x?&<7'
    redact = Redactor([secret, "other-secret-1234"])
    raw = secret.encode()
    forms = [
        secret,
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        re.sub("%..", lambda escape: escape[0].lower(), quote(secret)),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps({"k": secret})),
    ]
    for form in forms:
        masked = redact(f"before {form} after")
        assert MASK in masked, form
        assert form not in masked
        assert masked.startswith("before ")
        assert masked.endswith(" after")
    for user in ("", "a", "al", "ali"):
        header = base64.b64encode(f"{user}:{secret}".encode()).decode()
        assert header[8:20] not in redact(f"sent {header} there")


def test_every_line_of_a_known_key_is_found_by_itself() -> None:
    redact = Redactor([PEM])

    assert BODY[64:128] not in redact(f"log: {BODY[64:128]}")
    assert "BEGIN CERTIFICATE" in redact("BEGIN CERTIFICATE")


def test_the_longest_of_two_secrets_is_masked_whole_and_a_short_one_is_no_secret() -> None:
    redact = Redactor(["hunter2", "hunter2-and-more", "abc", "", "****"])

    assert redact("x hunter2-and-more y hunter2 z abc") == "x **** y **** z abc"


def test_members_with_the_names_of_secrets_are_masked_in_values() -> None:
    value: JSON = {
        "user": "alice",
        "password": "x",
        "clientSecret": "abc",
        "api-key": 12345,
        "hasToken": True,
        "accessToken": None,
        "tokens": 12,
        "secretName": "shop-tls",
        "nested": [{"Authorization": "anything"}, {"credentials": {"user": "a", "pw": "b"}}],
        "passwords_seen": 3,
        "env": [{"name": "DB_PASSWORD", "value": "b"}, {"name": "LEVEL", "value": "debug"}],
        "refreshToken": ["a", "b"],
    }

    assert Redactor().value(value) == {
        "user": "alice",
        "password": MASK,
        "clientSecret": MASK,
        "api-key": MASK,
        "hasToken": True,
        "accessToken": None,
        "tokens": 12,
        "secretName": "shop-tls",
        "nested": [{"Authorization": MASK}, {"credentials": {"user": "a", "pw": MASK}}],
        "passwords_seen": 3,
        "env": [{"name": "DB_PASSWORD", "value": MASK}, {"name": "LEVEL", "value": "debug"}],
        "refreshToken": [MASK, MASK],
    }


def test_values_of_kubernetes_secrets_and_texts_in_values_are_masked() -> None:
    redact = Redactor(["hunter22"])
    value: JSON = {
        "kind": "Secret",
        "data": {"a": "aGk=", "hunter22": "x"},
        "metadata": {"name": "s", "annotations": {"note": f"see {JWT} and hunter22"}},
    }

    masked = redact.value(value)

    assert isinstance(masked, dict)
    assert set(masked["data"].values()) == {MASK}  # type: ignore[union-attr]  # an object, as it was
    assert JWT.split(".")[1] not in json.dumps(masked)
    assert "hunter22" not in json.dumps(masked["metadata"])
    assert redact.value(masked) == masked


def test_a_value_that_nests_without_end_is_cut_off() -> None:
    value: JSON = "deep " + PLAIN
    for _ in range(300):
        value = {"a": [value]}

    assert PLAIN not in json.dumps(Redactor().value(value))


def test_a_text_that_is_no_unicode_is_masked_too() -> None:
    redact = Redactor(["sécret-1234"])

    assert redact("\ud800 sécret-1234 password=\udfffabcd\udfff x") == "\ud800 **** password=**** x"


def test_masking_takes_time_in_proportion_to_the_text() -> None:
    """The texts are made to be expensive; four times as much may take eight times as long on a busy machine."""
    redact = Redactor([LETTERS, PEM])
    pieces = (
        "-----BEGIN PRIVATE" + " KEY-----AAAA", "eyJabcdefgh.", 'password="', "curl -u a:", "mysql -p ",
        '"kind":"Secret" "data":{', "kind: Secret\ndata:\n  a: b\n", "a://a:", "password=", "login a password ",
        "\\", "Private-Lines: 1 ", "AKIA", "'\\\"", "bearer ",
    )  # fmt: skip

    def seconds(text: str) -> float:
        started = time.process_time()
        redact(text)
        return time.process_time() - started

    for piece in pieces:
        small, large = piece * (40_000 // len(piece)), piece * (160_000 // len(piece))
        assert seconds(large) < 8 * max(seconds(small), seconds(small), 0.01), piece


def test_a_log_of_a_megabyte_is_read_in_no_time() -> None:
    """A hundredth of a second is usual; the limit leaves room for a busy machine."""
    redact = Redactor("".join(random.choices(string.printable, k=24)) for _ in range(100))
    log = "\n".join(line for line in EVERYDAY if "kind" not in line)
    text = log * (1_000_000 // len(log))

    started = time.process_time()
    assert redact(text) == text
    assert time.process_time() - started < 1


PARTS = st.one_of(
    st.sampled_from([text for text, _, _ in SECRETS]),
    st.sampled_from(EVERYDAY),
    st.sampled_from(
        ["****", "password", "=", ": ", '"', "'", "\\", " ", "\n", "@", "://", "token", "Bearer ", "{", "}"]
    ),
    st.text(max_size=12),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PARTS, max_size=8).map("".join))
def test_masking_twice_changes_nothing(text: str) -> None:
    redact = Redactor([PLAIN, "known-secret"])
    masked = redact(text)

    assert redact(masked) == masked
    assert PLAIN not in masked


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=6, max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_a_known_secret_never_comes_out(secret: str, before: str, after: str) -> None:
    if secret.strip("*") and secret in Redactor([secret])(before + secret + after):
        # It can only be part of what was there beside it: the mask, or the secret made anew from both sides.
        assert secret in "****" or secret in (before + MASK + after)
