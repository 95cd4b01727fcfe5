"""Encrypting the kept bodies: they hold whatever the operator's templates put in them.

The bodies have a key of their own, which is stored as every other secret of the installation. So a change of the
installation's key encrypts one small value again instead of gigabytes, and a start has one value to check.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from akmatori_server.auth.store import read_fact, write_fact
from akmatori_server.crypto import SecretBox, SecretUnreadableError

DELIVERY_KEY = "delivery_key"
_CONTEXT = f"installation:{DELIVERY_KEY}:value"
_NONCE_BYTES = 12


class BodySeal:
    """Encrypts and decrypts bodies with AES-256-GCM, each bound to its source."""

    def __init__(self, box: SecretBox, *, now: Callable[[], datetime]) -> None:
        self._box = box
        self._now = now

    def seal(self, connection: sa.Connection, body: bytes, source_uuid: str) -> bytes:
        """Encrypt a body inside a write transaction; the first one makes the key.

        Raises:
            SecretUnreadableError: the bodies' key is not readable with the installation's keys.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._key(connection)).encrypt(nonce, body, source_uuid.encode())

    def open(self, connection: sa.Connection, sealed: bytes, source_uuid: str) -> bytes:
        """Decrypt a body.

        Raises:
            SecretUnreadableError: the key it was encrypted with is gone, or it is another source's.
        """
        key = self._stored_key(connection)
        if key is not None:
            try:
                return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], source_uuid.encode())
            except InvalidTag:
                pass
        raise SecretUnreadableError("The key this body was encrypted with is gone.")

    def _key(self, connection: sa.Connection) -> bytes:
        key = self._stored_key(connection)
        if key is not None:
            return key
        made = AESGCM.generate_key(bit_length=256)
        sealed = self._box.encrypt(base64.b64encode(made).decode(), _CONTEXT)
        if not write_fact(connection, DELIVERY_KEY, sealed, now=self._now()):
            # Another server process was first.
            return self._key(connection)
        return made

    def _stored_key(self, connection: sa.Connection) -> bytes | None:
        sealed = read_fact(connection, DELIVERY_KEY)
        return None if sealed is None else base64.b64decode(self._box.decrypt(sealed, _CONTEXT))
