"""The operation on token usage."""

from __future__ import annotations

from akmatori_sdk._generated.aotanami import models
from akmatori_server.http.call import Call
from akmatori_server.kubernetes.paging import single
from akmatori_server.kubernetes.token_usage.service import UsageService


class TokenUsageHandlers:
    """Handlers of the tag `tokenUsage`."""

    def __init__(self, usage: UsageService) -> None:
        self._usage = usage

    def get_token_usage(self, _call: Call, /) -> models.TokenUsageEnvelope:
        """Read what the language model has used."""
        return models.TokenUsageEnvelope(data=self._usage.usage(), metadata=single())
