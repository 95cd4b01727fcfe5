"""Why an investigation by a model is not possible: reasons for the rules to take over."""

from __future__ import annotations

from akmatori_server.investigation.report import Section


class ModelUnavailableError(Exception):
    """The model cannot be used. The sentence is for the administrator, and holds no secret.

    `found` is what the model had found before, for the report of whoever takes over.
    """

    def __init__(self, sentence: str, *, found: tuple[Section, ...] = (), tokens_used: int = 0) -> None:
        super().__init__(sentence)
        self.found = found
        self.tokens_used = tokens_used


class ProviderFailedError(ModelUnavailableError):
    """The provider does not answer, or not usefully, or its configuration is not complete."""


class LibraryMissingError(ModelUnavailableError):
    """The server was installed without what speaks to models."""

    def __init__(self) -> None:
        super().__init__(
            "This server was installed without support for models; install akmatori-server[agent]."
        )
