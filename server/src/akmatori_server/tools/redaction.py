"""Taking secrets out of texts that come from elsewhere: what is sent somewhere may be repeated there."""

from __future__ import annotations

from collections.abc import Iterable

from akmatori_server.secrets.masking import MASK

# A shorter text would be found everywhere.
SHORTEST_SECRET = 4


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return the text with a mask in place of every secret, the longest first: one may be part of another."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return text
