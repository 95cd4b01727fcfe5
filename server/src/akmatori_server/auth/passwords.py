"""The administrator's password: hashing the one that is chosen here, comparing the one that is configured."""

from __future__ import annotations

import hashlib
import hmac
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST_PASSWORD = 8
# Each check takes 64 MiB; a flood of logins must not take the memory of the machine.
_at_once = threading.BoundedSemaphore(2)
_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """Return the text to store."""
    with _at_once:
        return _hasher.hash(password)


def fits_hash(password: str, stored: str) -> bool:
    """Whether the password is the one that was hashed."""
    try:
        with _at_once:
            return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def is_same(given: str, expected: str) -> bool:
    """Compare in a time that tells neither content nor length."""
    return hmac.compare_digest(_digest(given), _digest(expected))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
