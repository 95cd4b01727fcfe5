"""General settings."""

from __future__ import annotations

import attrs

from akmatori_server.errors import BadRequest
from akmatori_server.settings.stored import Stored


@attrs.frozen(kw_only=True)
class GeneralSettings(Stored):
    """Settings of the installation as a whole."""

    base_url: str

    @property
    def link_base(self) -> str:
        """What links to this installation begin with, "" when it is not known."""
        return self.base_url.rstrip("/")

    def changed(self, *, base_url: str | None) -> GeneralSettings:
        """Return the settings with what is not None changed; "" clears the address.

        Raises:
            BadRequest: the address is not an http or https one.
        """
        if base_url is None:
            return self
        return attrs.evolve(self, base_url=checked_url(base_url, member="base_url"))


def checked_url(url: str, *, member: str) -> str:
    """Return an http or https address, or "".

    Raises:
        BadRequest: it is neither; the address is not repeated, it may hold a password.
    """
    if url and not url.lower().startswith(("http://", "https://")):
        raise BadRequest(f"{member}: must be an http or https address, or empty.")
    return url
