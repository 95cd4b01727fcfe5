"""Reading an SSH private key as people paste it: checked, repaired where that is safe, never guessed."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

import attrs
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from akmatori_server.errors import BadRequest

BASE64_PREFIX = "base64:"
# OpenSSH refuses shorter ones since 9.1.
SMALLEST_RSA_BITS = 1024

_ENVELOPE = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_HEADER = re.compile(r"^[A-Za-z0-9-]+: ")
_OPENSSH = "OPENSSH PRIVATE KEY"
_LINE = 64
_LOCKED = (
    "private_key: the key has a passphrase, which nobody could type during an investigation. Remove it from a"
    " copy with `ssh-keygen -p -N '' -f copy`, and send the copy."
)


@attrs.frozen(kw_only=True)
class PrivateKey:
    """A private key that can be used: its text in one form, what it is, and how to recognise it."""

    text: str = attrs.field(repr=False)
    # As in the first word of its public key, such as ssh-ed25519.
    algorithm: str
    # As `ssh-keygen -l` writes it.
    fingerprint: str


def parse_private_key(written: str) -> PrivateKey:
    """Read a key in OpenSSH or PEM form.

    Raises:
        BadRequest: it is no private key, has a passphrase, or is of a kind SSH does not take.
    """
    label, text = _envelope(_plain(written))
    load: Callable[..., object] = (
        serialization.load_ssh_private_key if label == _OPENSSH else serialization.load_pem_private_key
    )
    try:
        key = load(text.encode(), password=None)
    except TypeError:
        # The library's way to say that a password is missing.
        raise BadRequest(_LOCKED) from None
    except (ValueError, UnsupportedAlgorithm) as error:
        # The OpenSSH reader says so with a ValueError. The cause might repeat parts of the key.
        if label == _OPENSSH and ("ncrypted" in str(error) or "assword" in str(error)):
            raise BadRequest(_LOCKED) from None
        raise BadRequest("private_key: this is not a private key that can be read; is it complete?") from None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)):
        raise BadRequest("private_key: SSH takes RSA, ECDSA and Ed25519 keys.")
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < SMALLEST_RSA_BITS:
        raise BadRequest(f"private_key: RSA keys need {SMALLEST_RSA_BITS} bits or more.")
    return _described(key, text)


def _described(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, text: str
) -> PrivateKey:
    try:
        public = key.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
    except ValueError:
        # A curve that SSH has no name for.
        raise BadRequest("private_key: SSH takes the curves nistp256, nistp384 and nistp521.") from None
    algorithm, _, blob = public.partition(b" ")
    digest = hashes.Hash(hashes.SHA256())
    digest.update(base64.b64decode(blob))
    fingerprint = base64.b64encode(digest.finalize()).decode().rstrip("=")
    return PrivateKey(text=text, algorithm=algorithm.decode(), fingerprint=f"SHA256:{fingerprint}")


def _plain(written: str) -> str:
    text = written.strip()
    if text.startswith(BASE64_PREFIX):
        try:
            text = base64.b64decode("".join(text[len(BASE64_PREFIX) :].split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise BadRequest("private_key: what follows base64: is not Base64 of a text.") from None
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\\n", "\n").strip()


def _envelope(text: str) -> tuple[str, str]:
    """Return the label and the whole key, one line of it broken where a form field had joined them."""
    if text.startswith("PuTTY-User-Key-File"):
        raise BadRequest("private_key: this is PuTTY's form; export it as an OpenSSH key with PuTTYgen.")
    if re.match(r"(ssh-|ecdsa-|-----BEGIN (SSH2 )?PUBLIC|---- BEGIN SSH2)", text):
        raise BadRequest("private_key: this is a public key; the private one is needed.")
    match = _ENVELOPE.search(text)
    if match is None or "PRIVATE KEY" not in match[1]:
        raise BadRequest("private_key: a private key begins with -----BEGIN … PRIVATE KEY----- and ends so.")
    label, body = match[1], match[2].strip("\n")
    if "ENCRYPTED" in label or "Proc-Type: 4,ENCRYPTED" in body:
        raise BadRequest(_LOCKED)
    if any(_HEADER.match(line) for line in body.splitlines()):
        lines = body.splitlines()
    else:
        joined = "".join(body.split())
        lines = [joined[start : start + _LINE] for start in range(0, len(joined), _LINE)]
    return label, "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
