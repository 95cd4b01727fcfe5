"""The services of these tests, on both databases."""

from tests.server.skills.conftest import client, services, shop, shop_url

__all__ = ["client", "services", "shop", "shop_url"]
