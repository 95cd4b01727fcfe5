"""Encrypting the secrets that are stored: each bound to its place, so that one cannot be moved to another."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

KEY_FILE = "secret.key"


class SecretUnreadableError(Exception):
    """A stored secret was encrypted with a key this server does not have, or for another place."""


class SecretBox:
    """Encrypts with the newest key, decrypts with any: put a new key in front to change keys."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take Fernet keys, newest first.

        Raises:
            ValueError: there is none, or one is not 32 bytes in URL-safe Base64.
        """
        if not keys:
            raise ValueError("A secret key is needed.")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            # The cause would repeat the key.
            raise ValueError("A secret key must be 32 bytes in URL-safe Base64, 44 characters.") from None

    def encrypt(self, text: str, context: str, /) -> str:
        """Encrypt `text` for one place, named as `table:id:field`."""
        return self._fernet.encrypt(orjson.dumps([context, text])).decode("ascii")

    def decrypt(self, token: str, context: str, /) -> str:
        """Read what was encrypted for the place.

        Raises:
            SecretUnreadableError: it is not readable with these keys, or was encrypted for another place.
        """
        try:
            place, text = orjson.loads(self._fernet.decrypt(token.encode()))
        except InvalidToken:
            raise SecretUnreadableError(
                f"The secret of {context} cannot be read with this AKMATORI_SECRET_KEY; set the key it was"
                " stored with, or enter the secret again."
            ) from None
        if place != context:
            raise SecretUnreadableError(f"The secret of {context} was stored for another place.")
        return str(text)


def key_from_file(directory: Path) -> str:
    """Return the key of an installation, made at its first start and readable by its owner only."""
    path = directory / KEY_FILE
    if not path.exists():
        # Written whole beside its place and then linked: two processes that start at once agree on one key.
        descriptor, draft = tempfile.mkstemp(prefix=f".{KEY_FILE}.", dir=directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(Fernet.generate_key())
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            Path(draft).unlink()
    return path.read_text(encoding="ascii").strip()
