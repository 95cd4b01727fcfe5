"""Private keys as people paste them."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from akmatori_server.errors import BadRequest
from akmatori_server.tools.private_key import parse_private_key
from tests.server.tools import key_texts


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [
        (key_texts.openssh(), "ssh-ed25519"),
        (key_texts.pkcs1(), "ssh-rsa"),
        (key_texts.pkcs8(), "ecdsa-sha2-nistp256"),
    ],
    ids=["openssh", "pkcs1", "pkcs8"],
)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text,
        lambda text: f"\n  {text.replace(chr(10), chr(13) + chr(10))}  \n",
        lambda text: text.strip().replace("\n", " "),
        lambda text: text.replace("\n", "\\n"),
        lambda text: "base64:" + base64.b64encode(text.encode()).decode(),
    ],
    ids=["as it is", "windows", "one line", "escaped", "base64"],
)
def test_a_key_is_read_in_every_form(text: str, algorithm: str, spoil: Callable[[str], str]) -> None:
    """Whatever a form field did to its lines, it is the same key."""
    key = parse_private_key(spoil(text))

    assert key.algorithm == algorithm
    assert key == parse_private_key(text)
    assert key.text == text
    assert text[40:60] not in repr(key)


def test_the_fingerprint_is_that_of_ssh_keygen(tmp_path: Path) -> None:
    """A person can compare it."""
    text = key_texts.openssh()
    file = tmp_path / "key"
    file.write_text(text)
    file.chmod(0o600)
    try:
        printed = subprocess.run(
            ["ssh-keygen", "-lf", str(file)], capture_output=True, text=True, check=True
        ).stdout
    except FileNotFoundError:
        pytest.skip("ssh-keygen is not installed")

    assert parse_private_key(text).fingerprint == printed.split()[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (key_texts.openssh_locked(), "passphrase"),
        (key_texts.pkcs1("secret"), "passphrase"),
        (key_texts.pkcs8("secret"), "passphrase"),
        (key_texts.public(), "public key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", "PuTTY"),
        ("hunter2", "begins with"),
        ("base64:???", "Base64"),
        (key_texts.openssh()[:200], "begins with"),
        (key_texts.pkcs8().replace("MI", "QQ", 1), "complete"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "begins with"),
        (key_texts.other_curve(), "nistp256"),
        (key_texts.old_dsa(), "Ed25519"),
    ],
    ids=[
        "openssh with a passphrase",
        "pkcs1 with a passphrase",
        "pkcs8 with a passphrase",
        "public",
        "putty",
        "password",
        "not base64",
        "half a key",
        "damaged",
        "certificate",
        "other curve",
        "dsa",
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(text: str, words: str) -> None:
    """And never with the key."""
    with pytest.raises(BadRequest, match=words) as caught:
        parse_private_key(text)

    assert len(text) < 100 or text[40:60] not in caught.value.message
    assert caught.value.__cause__ is None
