"""How a webhook secret is shown, and what a written one means."""

from __future__ import annotations

from akmatori_server.errors import BadRequest
from akmatori_server.secrets.masking import MASK


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
