"""The services of these tests, on both databases."""

from tests.server.skills.conftest import client, services

__all__ = ["client", "services"]
