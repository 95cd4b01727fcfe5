"""The log these tests work with."""

from tests.server.deliveries.depot import depot

__all__ = ["depot"]
