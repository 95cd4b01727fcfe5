"""ClickHouse: queries that only read, and the state of a server."""

from akmatori_server.kits.clickhouse.kit import ClickHouseKit

__all__ = ["ClickHouseKit"]
