"""The one database of an installation: SQLite in the data directory, or PostgreSQL by URL."""

from akmatori_server.database.connection import Database
from akmatori_server.database.schema import JSONText, Timestamp, metadata

__all__ = ["Database", "JSONText", "Timestamp", "metadata"]
