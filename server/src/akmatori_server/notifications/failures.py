"""Why a message was not sent."""

from __future__ import annotations

from typing import Self


class SendError(Exception):
    """The message did not arrive; the sentence is for the operator, and holds no secret."""

    def __init__(
        self,
        sentence: str,
        *,
        is_final: bool = False,
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        # Whether another attempt would come to the same.
        self.is_final = is_final
        self.http_status = http_status
        # Seconds to leave the channel alone, when it asked for that.
        self.retry_after = retry_after

    def named(self, channel: str) -> Self:
        """Return the same of a channel, which is named."""
        return type(self)(
            f"{channel}: {self.sentence}",
            is_final=self.is_final,
            http_status=self.http_status,
            retry_after=self.retry_after,
        )


class UnknownOutcomeError(SendError):
    """Nobody knows whether the message arrived: the connection ended before the answer."""


class NothingToSendError(Exception):
    """There is nothing to send; the sentence says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
