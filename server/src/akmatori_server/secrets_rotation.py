"""Every stored secret of the installation: whether it can be read, and encrypting it with the newest key.

A table that keeps secrets is named here once. Each secret is bound to its place, `table:key:column`, and inside
a JSON column to its path in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import attrs
import sqlalchemy as sa
from cryptography.fernet import Fernet

from akmatori_server.alert_sources.tables import alert_sources
from akmatori_server.auth.service import JWT_SECRET
from akmatori_server.auth.tables import installation
from akmatori_server.config import ConfigurationError
from akmatori_server.crypto import KEY_FILE, SecretBox, SecretUnreadableError
from akmatori_server.database import Database
from akmatori_server.deliveries.sealing import DELIVERY_KEY
from akmatori_server.mcp_servers.tables import mcp_servers
from akmatori_server.notifications.tables import notification_targets
from akmatori_server.proposals.tables import proposals
from akmatori_server.secrets.vault import SEALED
from akmatori_server.settings.tables import llm_configs, proxy_settings, slack_settings
from akmatori_server.tools.tables import ssh_keys, tools

MOST_NAMED = 5

_Change: TypeAlias = Callable[[str, str], str | None]
"""Takes a token and its place, and returns the token to store; None removes the secret."""
Record: TypeAlias = Callable[[sa.Connection, Mapping[str, object]], None]
"""Notes what was done in its own transaction."""


@attrs.frozen
class SealedColumn:
    """A column that holds secrets: one encrypted text, or a JSON object with encrypted members."""

    table: sa.Table
    # The column that names the row in the secret's place.
    key: str
    column: str
    is_json: bool = False
    # Only the row with this key; the others of the table are no secrets.
    only: str | None = None
    # The server makes a new one when it cannot be read.
    is_replaceable: bool = False


SEALED_COLUMNS = (
    SealedColumn(installation, "name", "value", only=JWT_SECRET, is_replaceable=True),
    # The key of the kept deliveries' bodies; forgotten, they are unreadable, and the next one gets a new key.
    SealedColumn(installation, "name", "value", only=DELIVERY_KEY),
    SealedColumn(alert_sources, "uuid", "webhook_secret"),
    SealedColumn(tools, "id", "settings", is_json=True),
    SealedColumn(ssh_keys, "uuid", "private_key"),
    # Forgotten, the action can no longer be done.
    SealedColumn(proposals, "uuid", "sealed"),
    SealedColumn(mcp_servers, "id", "env_vars", is_json=True),
    SealedColumn(mcp_servers, "id", "auth_config", is_json=True),
    SealedColumn(slack_settings, "id", "bot_token"),
    SealedColumn(slack_settings, "id", "signing_secret"),
    SealedColumn(slack_settings, "id", "app_token"),
    SealedColumn(notification_targets, "uuid", "url"),
    SealedColumn(proxy_settings, "id", "password"),
    SealedColumn(llm_configs, "id", "api_key"),
)


class UnreadableSecretsError(ConfigurationError):
    """Secrets are stored that no key of this server opens."""

    def __init__(self, places: list[str]) -> None:
        named = ", ".join(places[:MOST_NAMED]) + (", …" if len(places) > MOST_NAMED else "")
        many = len(places) != 1
        super().__init__(
            f"{len(places)} stored secret{'s' if many else ''} cannot be read with the secret key ({named})."
            f" Set AKMATORI_SECRET_KEY, or the file {KEY_FILE} in the data directory, to the key"
            f" {'they were' if many else 'it was'} stored with. If that is lost, `akmatori-server secrets forget`"
            f" removes {'them' if many else 'it'}."
        )
        self.places = places


def check_readable(database: Database, box: SecretBox) -> None:
    """Check that this server can read what is stored; called at every start.

    Raises:
        UnreadableSecretsError: it cannot.
    """
    unreadable = unreadable_places(database, box)
    if unreadable:
        raise UnreadableSecretsError(unreadable)


def unreadable_places(database: Database, box: SecretBox) -> list[str]:
    """Return the places of the secrets that no key opens, but for those the server makes anew."""
    found: list[str] = []
    with database.read() as connection:
        for column in SEALED_COLUMNS:
            if column.is_replaceable:
                continue
            for key, stored in _rows(connection, column):
                for place, token in _secrets(column, key, stored):
                    if not _is_readable(box, token, place):
                        found.append(place)
    return found


def unrecorded(_connection: sa.Connection, _what: Mapping[str, object]) -> None:
    """Note nothing."""


def rotate(database: Database, box: SecretBox, *, record: Record = unrecorded) -> int:
    """Encrypt every secret with the newest key, all in one transaction, and return how many there are.

    Raises:
        UnreadableSecretsError: some cannot be read; nothing is changed.
    """
    unreadable: list[str] = []
    count = 0

    def renewed(token: str, place: str) -> str:
        nonlocal count
        count += 1
        try:
            return box.encrypt(box.decrypt(token, place), place)
        except SecretUnreadableError:
            unreadable.append(place)
            return token

    with database.write() as connection:
        for column in SEALED_COLUMNS:
            _change(connection, column, renewed)
        if unreadable:
            raise UnreadableSecretsError(unreadable)
        record(connection, {"secrets": count})
    return count


def forget(database: Database, box: SecretBox, *, record: Record = unrecorded) -> list[str]:
    """Remove the secrets that no key opens, in one transaction, and return their places."""
    forgotten: list[str] = []

    def kept(token: str, place: str) -> str | None:
        if _is_readable(box, token, place):
            return token
        forgotten.append(place)
        return None

    with database.write() as connection:
        for column in SEALED_COLUMNS:
            if not column.is_replaceable:
                _change(connection, column, kept)
        _restore_default_keys(connection)
        if forgotten:
            record(connection, {"places": forgotten})
    return forgotten


def keys_from_file(directory: Path) -> tuple[str, ...]:
    """Return the keys in an installation's key file, newest first; there are two while they are changed."""
    return tuple((directory / KEY_FILE).read_text(encoding="ascii").split())


def write_keys(directory: Path, keys: tuple[str, ...]) -> None:
    """Replace an installation's key file at once, readable by its owner only."""
    draft = directory / f".{KEY_FILE}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("\n".join(keys))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(directory / KEY_FILE)
    folder = os.open(directory, os.O_RDONLY)
    try:
        # Without it a crash could bring the old file back, and with it keys that open nothing.
        os.fsync(folder)
    finally:
        os.close(folder)


def rotate_file(database: Database, directory: Path, *, record: Record = unrecorded) -> int:
    """Make a new key in the key file, encrypt every secret with it, and return how many there are.

    Wherever it is interrupted, the keys in the file open every secret; run again, it goes on.

    Raises:
        UnreadableSecretsError: some secrets cannot be read; secrets and file are as they were.
    """
    before = keys_from_file(directory)
    # Known before anything is changed.
    check_readable(database, SecretBox(before))
    new = Fernet.generate_key().decode()
    write_keys(directory, (new, *before))
    count = rotate(database, SecretBox((new, *before)), record=record)
    write_keys(directory, (new,))
    return count


def _rows(connection: sa.Connection, column: SealedColumn, *, lock: bool = False) -> list[tuple[Any, Any]]:
    key, value = column.table.c[column.key], column.table.c[column.column]
    query = sa.select(key, value).where(value.is_not(None))
    if column.only is not None:
        query = query.where(key == column.only)
    return [(row[0], row[1]) for row in connection.execute(query.with_for_update() if lock else query)]


def _secrets(column: SealedColumn, key: object, stored: object) -> Iterator[tuple[str, str]]:
    """Return the place and the token of every secret in a value."""
    found: list[tuple[str, str]] = []

    def note(token: str, place: str) -> str:
        found.append((place, token))
        return token

    _changed(column, _place(column, key), stored, note)
    return iter(found)


def _change(connection: sa.Connection, column: SealedColumn, change: _Change) -> None:
    key = column.table.c[column.key]
    for name, stored in _rows(connection, column, lock=True):
        changed = _changed(column, _place(column, name), stored, change)
        if changed == stored:
            continue
        if changed is None and not column.table.c[column.column].nullable:
            connection.execute(sa.delete(column.table).where(key == name))
        else:
            connection.execute(sa.update(column.table).where(key == name).values({column.column: changed}))


def _changed(column: SealedColumn, place: str, stored: object, change: _Change) -> object:
    return (
        _changed_members(stored, place, (), change) if column.is_json else change(cast("str", stored), place)
    )


def _changed_members(value: object, place: str, path: tuple[str, ...], change: _Change) -> object:
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [
            _changed_members(item, place, (*path, str(index)), change) for index, item in enumerate(items)
        ]
    if not isinstance(value, dict):
        return value
    members = cast("dict[str, object]", value)
    token = members.get(SEALED)
    if isinstance(token, str):
        # Bound to its path as `SecretMembers` binds it.
        changed = change(token, f"{place}.{'.'.join(path)}")
        return None if changed is None else {SEALED: changed}
    result = {
        name: _changed_members(member, place, (*path, name), change) for name, member in members.items()
    }
    # A secret that is forgotten leaves no member behind; one that was null before stays so.
    return {name: member for name, member in result.items() if member is not None or members[name] is None}


def _place(column: SealedColumn, key: object) -> str:
    return f"{column.table.name}:{key}:{column.column}"


def _is_readable(box: SecretBox, token: str, place: str) -> bool:
    try:
        box.decrypt(token, place)
    except SecretUnreadableError:
        return False
    return True


def _restore_default_keys(connection: sa.Connection) -> None:
    """Give a tool whose default SSH key is gone its oldest one as default."""
    with_default = sa.select(ssh_keys.c.tool_id).where(ssh_keys.c.is_default)
    oldest = (
        sa.select(sa.func.min(ssh_keys.c.id))
        .where(ssh_keys.c.tool_id.not_in(with_default))
        .group_by(ssh_keys.c.tool_id)
    )
    ids = list(connection.execute(oldest).scalars())
    if ids:
        connection.execute(sa.update(ssh_keys).where(ssh_keys.c.id.in_(ids)).values(is_default=True))
