"""What goes wrong with outgoing connections, as sentences."""

from __future__ import annotations

import enum


class Reason(enum.StrEnum):
    """Why there is no answer."""

    # It may not be sent at all; nothing was.
    REFUSED = "refused"
    TIMEOUT = "timeout"
    # The certificate, or TLS itself.
    TLS = "tls"
    # It answers, and not in TLS: most likely in plain HTTP.
    NOT_TLS = "not_tls"
    CONNECTION = "connection"
    # It stood, and ended before the answer did.
    BROKEN = "broken"
    # What came back is not HTTP, or leads round in circles.
    PROTOCOL = "protocol"


class OutgoingError(Exception):
    """There is no answer; the sentence says why, and holds no secret."""

    def __init__(self, sentence: str, reason: Reason) -> None:
        super().__init__(sentence)
        self.reason = reason

    @property
    def may_have_arrived(self) -> bool:
        """Whether the other side may have got the request all the same, and done what it asks for."""
        return self.reason in {Reason.TIMEOUT, Reason.BROKEN, Reason.PROTOCOL}


class AddressRefusedError(OutgoingError):
    """A connection may not go there, so none was opened."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, Reason.REFUSED)
