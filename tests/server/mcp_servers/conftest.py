"""The services these tests work with."""

from tests.server.tools.workshop import workshop

__all__ = ["workshop"]
