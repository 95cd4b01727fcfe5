"""How a stored secret is shown, and what it means when what was shown is sent back."""

from __future__ import annotations

from akmatori_server.errors import BadRequest

MASK = "****"
SHOWN_CHARACTERS = 4
# Of a shorter secret, its end would be too much of it.
SHORTEST_SHOWN = 6


def mask(secret: str) -> str:
    """Return what is shown in place of a secret; "" when there is none."""
    if not secret:
        return ""
    return MASK + (secret[-SHOWN_CHARACTERS:] if len(secret) >= SHORTEST_SHOWN else "")


def is_mask(written: str) -> bool:
    """Whether a written secret is a mask, of this or of another one."""
    return written.startswith(MASK) and len(written) in {len(MASK), len(MASK) + SHOWN_CHARACTERS}


def keeps(written: str, shown: str, *, member: str) -> bool:
    """Whether a written secret is what is shown of the stored one, which means to keep it.

    Args:
        written: what the caller sent.
        shown: the mask of what is stored, "" when nothing is.
        member: the name of the member, for the refusal.

    Raises:
        BadRequest: it is the mask of another secret; nobody means to store that.
    """
    if not is_mask(written):
        return False
    if written == shown:
        return True
    raise BadRequest(
        f"{member}: this is the mask of another secret; send the secret itself, or leave it out."
    )
