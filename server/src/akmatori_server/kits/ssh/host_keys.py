"""Recognising hosts by their keys: a key that is known must stay the same."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable
from datetime import datetime

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_server.database import Database
from akmatori_server.kits.ssh.settings import KnownHosts, Place
from akmatori_server.kits.ssh.tables import ssh_host_keys


class HostKeys:
    """The keys of hosts that were met before, for the whole installation."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def known(self, place: Place) -> str:
        """Return the key that a host must have; "" when it is not known."""
        return place.host_key or await asyncio.to_thread(self._stored, place)

    async def remember(self, place: Place, key: str) -> str:
        """Keep the key of a host that was not known. Return the one that is kept: another may have come first."""
        return await asyncio.to_thread(self._remembered, place, key)

    def _stored(self, place: Place) -> str:
        query = sa.select(ssh_host_keys.c.key).where(
            ssh_host_keys.c.host == place.address.casefold(), ssh_host_keys.c.port == place.port
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none() or ""

    def _remembered(self, place: Place, key: str) -> str:
        dialect = sqlite if self._database.is_sqlite else postgresql
        statement = dialect.insert(ssh_host_keys).values(
            host=place.address.casefold(), port=place.port, key=key, first_seen=self._now()
        )
        with self._database.write() as connection:
            connection.execute(statement.on_conflict_do_nothing())
        return self._stored(place)


@attrs.define(kw_only=True)
class Recognition:
    """Whether the key that a host shows is the right one; decided while connecting to it."""

    place: Place
    policy: KnownHosts
    # The key it must have; "" when none is known.
    expected: str
    # What is wrong, once the host has shown a key that is refused.
    complaint: str = ""
    # The key that was shown, and is to be remembered.
    learnt: str = ""
    # Whether any key was shown: only an SSH server does that.
    is_shown: bool = False

    def accepts(self, shown: str) -> bool:
        """Decide about a key."""
        self.is_shown = True
        if self.policy is KnownHosts.IGNORE or shown == self.expected:
            return True
        where = f"{self.place.address} port {self.place.port}"
        if self.expected:
            self.complaint = (
                f"The host key of {where} has changed: it was {fingerprint(self.expected)}, and is now"
                f" {fingerprint(shown)}. Nothing was sent. Another machine may be in its place; if the host was"
                " set up anew, write its new public key as host_key at the host in the tool's settings."
            )
            return False
        if self.policy is KnownHosts.STRICT:
            self.complaint = (
                f"The host key of {where} is not known ({fingerprint(shown)}), and ssh_known_hosts_policy is strict:"
                " write its public key as host_key at the host in the tool's settings."
            )
            return False
        self.learnt = shown
        return True

    def algorithms(self) -> tuple[str, ...]:
        """Return how the host may prove who it is; empty for any way."""
        kind = self.expected.partition(" ")[0]
        if not kind or self.policy is KnownHosts.IGNORE:
            return ()
        return ("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,)


def fingerprint(key: str) -> str:
    """Return a key's fingerprint as `ssh-keygen -l` writes it."""
    kind, _, encoded = key.partition(" ")
    try:
        digest = hashlib.sha256(base64.b64decode(encoded, validate=True)).digest()
    except binascii.Error:
        return f"{kind} (not readable)"
    return f"{kind} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
