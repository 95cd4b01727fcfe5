"""The services of tools on a real database, for their tests and those of connectors and MCP servers."""

from __future__ import annotations

from typing import Any, cast

import attrs
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from akmatori_server.audit import AuditTrail
from akmatori_server.audit.models import Entry
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database, metadata
from akmatori_server.database.all_tables import MODULES
from akmatori_server.kits.http_api import http_kits
from akmatori_server.kits.sql import sql_kits
from akmatori_server.kits.ssh.kit import ssh_kit
from akmatori_server.pagination import PageRequest
from akmatori_server.redaction import Redactor
from akmatori_server.settings.route import direct
from akmatori_server.toolbox.limits import CallLimits
from akmatori_server.toolbox.ports import KitOf
from akmatori_server.toolbox.trial import ToolTrial
from akmatori_server.tools.models import NewTool
from akmatori_server.tools.service import ToolService
from akmatori_server.tools.ssh_keys import SshKeyService
from tests.server.incidents.domain import Clock

# Importing them has registered every table.
REGISTERED = MODULES


@attrs.frozen
class Workshop:
    """Tools on one database."""

    database: Database
    clock: Clock
    secrets: SecretBox
    audit: AuditTrail
    tools: ToolService
    keys: SshKeyService

    @property
    def trial(self) -> ToolTrial:
        """What tries tools of the types that are built in."""
        kits = {
            **http_kits(lambda _service: direct),
            **sql_kits(),
            "ssh": ssh_kit(self.database, now=self.clock),
        }
        return make_trial(self.database, self.tools, self.audit, lambda tool_type: kits.get(tool_type.name))

    def type_id(self, name: str) -> int:
        """Return the identifier of a tool type."""
        return next(one.id for one in self.tools.types() if one.name == name)

    def tool(self, type_name: str = "ssh", name: str = "Prod", **settings: Any) -> int:
        """Add a tool and return its identifier."""
        new = NewTool(tool_type_id=self.type_id(type_name), name=name, settings=settings or None)
        with self.tools.transaction() as connection:
            return self.tools.create_in(connection, None, new).id

    def entries(self) -> list[Entry]:
        """Return the audit trail, the oldest entry first."""
        return self.audit.page(PageRequest(number=1, size=200)).items[::-1]

    def stored(self, column: sa.Column[Any]) -> list[object]:
        """Return what a column holds."""
        with self.database.read() as connection:
            return list(connection.execute(sa.select(column)).scalars())

    def everything(self) -> str:
        """Return all that the database holds, as one text."""
        with self.database.read() as connection:
            rows = [
                tuple(cast("Any", row))
                for table in metadata.sorted_tables
                for row in connection.execute(sa.select(table))
            ]
        return repr(rows)


def make_workshop(database: Database) -> Workshop:
    """Put the services together as the server does."""
    metadata.create_all(database.engine)
    clock, secrets = Clock(), SecretBox([Fernet.generate_key().decode()])
    audit = AuditTrail(database, now=clock)
    tools = ToolService(database, secrets, audit, now=clock)
    tools.seed_types()
    return Workshop(database, clock, secrets, audit, tools, SshKeyService(tools, audit))


def make_trial(
    database: Database, tools: ToolService, audit: AuditTrail, kit_of: KitOf, *, seconds: float = 20
) -> ToolTrial:
    """Return what tries tools, with these kits."""

    def redactor() -> Redactor:
        return Redactor(secret for tool in tools.listing.all() for secret in tools.open(tool).secrets)

    return ToolTrial(
        database, tools, kit_of, audit, redactor=redactor, limits=CallLimits(), longest_seconds=seconds
    )


@pytest.fixture
def workshop(database: Database) -> Workshop:
    """Tools on that database."""
    return make_workshop(database)
