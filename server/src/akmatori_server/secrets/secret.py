"""One stored secret, as those who read settings get it: encrypted until it is asked for."""

from __future__ import annotations

import attrs

from akmatori_server.crypto import SecretBox, SecretUnreadableError
from akmatori_server.secrets.masking import MASK, keeps, mask


@attrs.frozen(repr=False)
class Secret:
    """A secret at its place (`table:id:field`); `token` is what is stored, None when there is no secret."""

    token: str | None
    place: str
    box: SecretBox = attrs.field(eq=False)

    @property
    def is_set(self) -> bool:
        """Whether there is a secret."""
        return self.token is not None

    @property
    def shown(self) -> str:
        """The mask; of a secret that cannot be read, that there is one."""
        try:
            return mask(self.reveal())
        except SecretUnreadableError:
            return MASK

    def reveal(self) -> str:
        """Return the secret in clear, "" when there is none.

        Raises:
            SecretUnreadableError: it was encrypted with a key this server does not have.
        """
        return "" if self.token is None else self.box.decrypt(self.token, self.place)

    def written(self, text: str | None, *, member: str) -> Secret:
        """Return the secret after a write: None and the mask keep it, "" clears it, a text replaces it.

        Args:
            text: what the caller sent.
            member: the name of the member, for the refusal.

        Raises:
            BadRequest: the text is the mask of another secret.
        """
        if text is None or keeps(text, self.shown, member=member):
            # As it is: kept even while the key that reads it is missing.
            return self
        return attrs.evolve(self, token=self.box.encrypt(text, self.place) if text else None)

    def __repr__(self) -> str:
        return f"Secret({self.place!r}, {'set' if self.is_set else 'not set'})"
