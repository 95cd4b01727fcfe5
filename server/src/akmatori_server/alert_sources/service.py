"""Managing alert sources, and finding the one a delivery is for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog

from akmatori_server.alert_sources import store
from akmatori_server.alert_sources.mappings import mapping_complaints
from akmatori_server.alert_sources.models import (
    AlertSource,
    AlertSourceChanges,
    AlertSourceType,
    NewAlertSource,
)
from akmatori_server.alert_sources.options import setting_complaints
from akmatori_server.alert_sources.secret import is_mask_of
from akmatori_server.alert_sources.types import SOURCE_TYPES
from akmatori_server.complaints import refuse, required_text
from akmatori_server.crypto import SecretBox, SecretUnreadableError
from akmatori_server.database import Database
from akmatori_server.errors import BadRequest, Conflict, NotFound, Unavailable
from akmatori_server.listing import Listing
from akmatori_server.secrets.masking import MASK, mask
from akmatori_server.writes import Check, Record, allow, unique_write, unrecorded

_log = structlog.stdlib.get_logger("akmatori_server.alert_sources")

LONGEST_NAME = 128
NAME_TAKEN = "An alert source with this name exists."


class AlertSourceService:
    """Creates, reads, changes and deletes alert sources."""

    def __init__(self, database: Database, secrets: SecretBox, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._secrets = secrets
        self.now = now
        # The oldest first.
        self.listing = Listing(self._database, store.count, store.sources)
        # Another number after each write of this process: whoever keeps a source at hand asks by it.
        self.version = 0

    def seed_types(self) -> None:
        """Write the types this version knows; called at every start."""
        with self._database.write() as connection:
            for source_type in SOURCE_TYPES:
                store.put_type(connection, source_type, now=self.now())

    def types(self) -> list[AlertSourceType]:
        """Return every type."""
        with self._database.read() as connection:
            return store.types(connection)

    def get(self, identifier: str) -> AlertSource:
        """Return one source.

        Raises:
            NotFound: there is none with this uuid.
        """
        with self._database.read() as connection:
            return _found(store.get(connection, identifier))

    def for_delivery(self, identifier: str) -> tuple[AlertSource, str]:
        """Return the source a delivery is addressed to, and its secret ("" when it has none).

        Raises:
            NotFound: there is none with this uuid.
            Unavailable: the secret cannot be read.
        """
        source = self.get(identifier)
        try:
            return source, self._secret_of(source)
        except SecretUnreadableError as error:
            # Never open because the key is gone; the sender keeps trying until an operator has put it back.
            _log.error("alert_source_secret_unreadable", source=source.uuid)
            raise Unavailable("This alert source cannot check secrets now; try again later.") from error

    def shown_secret(self, source: AlertSource) -> str:
        """Return what is shown of the source's secret; of one that cannot be read, that there is one."""
        try:
            return mask(self._secret_of(source))
        except SecretUnreadableError:
            return MASK

    @contextmanager
    def transaction(self) -> Generator[sa.Connection]:
        """Yield one write transaction; a name that another writer takes meanwhile is a Conflict too."""
        try:
            with unique_write(self._database, NAME_TAKEN) as connection:
                yield connection
        finally:
            self.version += 1

    def create(self, new: NewAlertSource) -> AlertSource:
        """Store a new source.

        Raises:
            BadRequest: a member breaks its rule.
            Conflict: another source has this name.
        """
        with self.transaction() as connection:
            return self.create_in(connection, new)

    def create_in(self, connection: sa.Connection, new: NewAlertSource) -> AlertSource:
        """Store a new source as part of the caller's transaction; raises what `create` raises."""
        source_type = store.type_named(connection, new.source_type_name.strip())
        if source_type is None:
            known = ", ".join(known_type.name for known_type in store.types(connection))
            raise BadRequest(f"source_type_name: there is no such type; use one of {known}.")
        name = required_text("name", new.name, longest=LONGEST_NAME)
        refuse(
            mapping_complaints(source_type.name, new.field_mappings)
            | setting_complaints(source_type.name, new.settings)
        )
        # There is no stored secret that a mask could stand for.
        is_mask_of(new.webhook_secret, "")
        if store.name_is_taken(connection, name):
            raise Conflict(NAME_TAKEN)
        identifier, now = str(uuid.uuid4()), self.now()
        values: dict[str, Any] = {
            "uuid": identifier,
            "alert_source_type_id": source_type.id,
            "name": name,
            "description": new.description,
            "webhook_secret": self._sealed(new.webhook_secret, identifier),
            "field_mappings": _plain(new.field_mappings),
            "settings": _plain(new.settings),
            "enabled": new.enabled,
            "created_at": now,
            "updated_at": now,
        }
        store.insert(connection, values)
        return _found(store.get(connection, identifier))

    def update(
        self,
        identifier: str,
        changes: AlertSourceChanges,
        *,
        check: Check[AlertSource] = allow,
        record: Record[AlertSource] = unrecorded,
    ) -> AlertSource:
        """Change what is not None.

        Raises:
            NotFound: there is none with this uuid.
            BadRequest: a member breaks its rule.
            Conflict: another source has this name, or `check` refused.
        """
        with self.transaction() as connection:
            source = _found(store.get(connection, identifier, to_change=True))
            check(source)
            values = self._changed_values(connection, source, changes)
            store.update(connection, identifier, {**values, "updated_at": self.now()})
            changed = _found(store.get(connection, identifier))
            record(connection, source, changed)
            return changed

    def delete(self, identifier: str, *, record: Record[AlertSource] = unrecorded) -> None:
        """Delete a source; its webhook answers 404 from then on, its incidents stay.

        Raises:
            NotFound: there is none with this uuid.
        """
        try:
            with self._database.write() as connection:
                source = _found(store.get(connection, identifier, to_change=True))
                store.delete(connection, identifier)
                record(connection, source, None)
        finally:
            self.version += 1

    def _changed_values(
        self, connection: sa.Connection, source: AlertSource, changes: AlertSourceChanges
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if changes.name is not None:
            values["name"] = required_text("name", changes.name, longest=LONGEST_NAME)
            if store.name_is_taken(connection, values["name"], except_uuid=source.uuid):
                raise Conflict(NAME_TAKEN)
        if changes.description is not None:
            values["description"] = changes.description
        if changes.webhook_secret is not None and not is_mask_of(
            changes.webhook_secret, self.shown_secret(source)
        ):
            values["webhook_secret"] = self._sealed(changes.webhook_secret, source.uuid)
        if changes.field_mappings is not None:
            refuse(mapping_complaints(source.type.name, changes.field_mappings))
            values["field_mappings"] = _plain(changes.field_mappings)
        if changes.settings is not None:
            refuse(setting_complaints(source.type.name, changes.settings))
            values["settings"] = _plain(changes.settings)
        if changes.enabled is not None:
            values["enabled"] = changes.enabled
        return values

    def _sealed(self, secret: str, identifier: str) -> str | None:
        return self._secrets.encrypt(secret, _context(identifier)) if secret else None

    def _secret_of(self, source: AlertSource) -> str:
        if source.sealed_secret is None:
            return ""
        return self._secrets.decrypt(source.sealed_secret, _context(source.uuid))


def _context(identifier: str) -> str:
    return f"alert_sources:{identifier}:webhook_secret"


def _plain(members: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if members is None else dict(members)


def _found(source: AlertSource | None) -> AlertSource:
    if source is None:
        raise NotFound("No alert source has this uuid.")
    return source
