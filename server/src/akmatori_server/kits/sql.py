"""The kits of databases."""

from __future__ import annotations

from collections.abc import Mapping

from akmatori_server.kits.clickhouse import ClickHouseKit
from akmatori_server.kits.postgresql import PostgresKit
from akmatori_server.outgoing.policy import PUBLIC_ONLY, Policy
from akmatori_server.toolbox.kit import Kit


def sql_kits(policy: Policy = PUBLIC_ONLY) -> Mapping[str, Kit]:
    """Return the kits by their tool types; `policy` says where the whole installation may connect to."""
    return {"postgresql": PostgresKit(policy), "clickhouse": ClickHouseKit(policy)}
