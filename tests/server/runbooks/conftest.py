"""The services these tests work with."""

from tests.server.incidents.domain import domain

__all__ = ["domain"]
