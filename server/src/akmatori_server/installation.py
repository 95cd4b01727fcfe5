"""An installation: its data directory, database and keys, opened and brought up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from akmatori_server.auth.service import Administrator, AuthService, signing_secret
from akmatori_server.auth.throttle import LoginThrottle
from akmatori_server.auth.tokens import Tokens
from akmatori_server.config import ConfigurationError, Settings, prepare_data_dir
from akmatori_server.crypto import SecretBox, key_from_file
from akmatori_server.database import Database
from akmatori_server.database.migrate import migrate
from akmatori_server.database.turns import in_turn
from akmatori_server.secrets_rotation import check_readable, keys_from_file
from akmatori_server.stopping import Stopping

# The name of the lock among PostgreSQL's advisory locks, which all programs of a database share.
SIGNING_LOCK = 0x616B6D61_6A777420

Now = Callable[[], datetime]


@attrs.frozen(kw_only=True)
class Installation:
    """What the server and the command line share: the database, brought up to date, and who may use it."""

    settings: Settings
    database: Database
    secrets: SecretBox
    auth: AuthService
    now: Now
    stopping: Stopping = attrs.field(factory=Stopping)

    def close(self) -> None:
        """Give the database's connections back."""
        self.database.close()


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def require_installation(settings: Settings) -> None:
    """Refuse to go on where no server has ever been: whoever only looks shall make nothing.

    Raises:
        ConfigurationError: there is no database, or it has no tables.
    """
    if settings.is_sqlite:
        file = Path(make_url(settings.database_url).database or "")
        # Opening the file would make it.
        if not file.is_file():
            raise ConfigurationError(f"There is no installation here: {file} does not exist.")
    if settings.secret_keys is None and not settings.data_dir.is_dir():
        raise ConfigurationError(f"There is no installation here: {settings.data_dir} does not exist.")
    database = Database.open(settings.database_url)
    try:
        with database.read() as connection:
            is_there = sa.inspect(connection).has_table("api_keys")
    finally:
        database.close()
    if not is_there:
        raise ConfigurationError("There is no installation here: the database has no tables of Akmatori.")


def open_installation(settings: Settings, *, now: Now = utc_now) -> Installation:
    """Make or open the data directory and the database, and bring its tables up to date.

    Raises:
        ConfigurationError: a setting cannot be used.
    """
    prepare_data_dir(settings)
    try:
        if not settings.secret_keys:
            key_from_file(settings.data_dir)
        # While keys are being changed the file holds two, the newest first.
        secrets = SecretBox(settings.secret_keys or keys_from_file(settings.data_dir))
    except ValueError as error:
        raise ConfigurationError(f"AKMATORI_SECRET_KEY: {error}") from None
    database = Database.open(settings.database_url)
    migrate(database)
    check_readable(database, secrets)
    # Servers that make it together would each keep their own, and refuse each other's tokens.
    with in_turn(database, SIGNING_LOCK):
        signing = signing_secret(database, secrets, settings.jwt_secret, now=now())
    auth = AuthService(
        database,
        administrator=Administrator(username=settings.admin_username, password=settings.admin_password),
        tokens=Tokens(signing, lifetime=timedelta(hours=settings.jwt_expiry_hours), now=now),
        throttle=LoginThrottle(clock=monotonic),
        now=now,
    )
    return Installation(settings=settings, database=database, secrets=secrets, auth=auth, now=now)
