"""The settings on a real database, as the server puts them together."""

from __future__ import annotations

import attrs
import pytest
from cryptography.fernet import Fernet

from akmatori_server.audit import AuditTrail
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.settings.handlers import SettingsHandlers
from akmatori_server.settings.service import SettingsService
from tests.server.incidents.domain import Clock


@attrs.frozen
class Office:
    """The settings, who answers for them, and the trail of what was changed."""

    database: Database
    clock: Clock
    box: SecretBox
    settings: SettingsService
    trail: AuditTrail
    handlers: SettingsHandlers


@pytest.fixture
def office(database: Database) -> Office:
    """Settings that nobody has changed yet."""
    clock, box = Clock(), SecretBox([Fernet.generate_key().decode()])
    settings, trail = SettingsService(database, box, now=clock), AuditTrail(database, now=clock)
    settings.seed()
    return Office(database, clock, box, settings, trail, SettingsHandlers(settings, trail))
