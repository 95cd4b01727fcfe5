"""Keeping secrets out of what a model, a log or a report gets to see."""

from akmatori_server.redaction.redactor import Redactor

__all__ = ["Redactor"]
