"""How a webhook secret is shown, and what a written one means."""

from __future__ import annotations

from akmatori_server.errors import BadRequest

MASK = "****"
SHOWN_CHARACTERS = 4
# Of a shorter secret, its end would be too much of it.
SHORTEST_SHOWN = 6


def masked(secret: str) -> str:
    """Return what is shown in place of a secret; "" when there is none."""
    if not secret:
        return ""
    return MASK + (secret[-SHOWN_CHARACTERS:] if len(secret) >= SHORTEST_SHOWN else "")


def is_mask_of(written: str, shown: str) -> bool:
    """Whether a written secret is what is shown of the stored one, which means to keep it.

    Raises:
        BadRequest: it is the mask of another secret; stored as it is, it would lock every sender out.
    """
    if not written.startswith(MASK):
        return False
    if written == shown:
        return True
    raise BadRequest(
        "webhook_secret: this is the mask of another secret; send the secret itself, or leave it out."
    )
