"""PostgreSQL: queries that only read, and the state of a server."""

from akmatori_server.kits.postgresql.kit import PostgresKit

__all__ = ["PostgresKit"]
