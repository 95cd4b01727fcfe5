"""Who may do what: the administrator's password and tokens, the setup, API keys."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs
import sqlalchemy as sa
import structlog

from akmatori_server.auth import store
from akmatori_server.auth.keys import PREFIX, ApiKey, CreatedKey, hash_of, hint_of, new_key
from akmatori_server.auth.passwords import SHORTEST_PASSWORD, fits_hash, hash_password, is_same
from akmatori_server.auth.tables import api_keys
from akmatori_server.auth.throttle import LoginThrottle
from akmatori_server.auth.tokens import IssuedToken, Tokens
from akmatori_server.crypto import SecretBox, SecretUnreadableError
from akmatori_server.database import Database
from akmatori_server.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from akmatori_server.http.call import Caller, Scope
from akmatori_server.listing import Listing

PASSWORD_HASH = "admin_password_hash"  # noqa: S105  the name of a fact, not a password
JWT_SECRET = "jwt_secret"  # noqa: S105  the name of a fact, not a secret
# The use of a key is noted to the minute: a write per request would cost more than the request.
NOTE_USE_AFTER = timedelta(minutes=1)

RecordKey = Callable[[sa.Connection, ApiKey], None]
"""Notes the making or the revoking of a key inside its own transaction."""


def unrecorded(*_what: object) -> None:
    """Note nothing: for tests, which look at the keys themselves."""


_log = structlog.stdlib.get_logger("akmatori_server.auth")


@attrs.frozen(kw_only=True)
class Administrator:
    """What the configuration says about the administrator; a configured password wins over a chosen one."""

    username: str
    password: str | None = attrs.field(repr=False)


class AuthService:
    """Decides about passwords, tokens and keys."""

    def __init__(
        self,
        database: Database,
        *,
        administrator: Administrator,
        tokens: Tokens,
        throttle: LoginThrottle,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._administrator = administrator
        self._tokens = tokens
        self._throttle = throttle
        self._now = now
        # The keys in use, the oldest first.
        self.keys = Listing(database, store.count_keys, store.list_keys)
        # Counts revocations in this process: whoever remembers a verified key asks whether it moved.
        self.revocations = 0

    def setup_required(self) -> bool:
        """Whether no password is configured or chosen yet."""
        return self._administrator.password is None and not self.setup_completed()

    def setup_completed(self) -> bool:
        """Whether a password was once chosen in the setup."""
        with self._database.read() as connection:
            return store.read_fact(connection, PASSWORD_HASH) is not None

    def login(self, username: str, password: str, *, remote: str) -> IssuedToken:
        """Exchange name and password for a token.

        Raises:
            Unauthorized: one of them is wrong; it is not said which.
            TooManyRequests: there were too many failures.
        """
        self._throttle.begin(remote)
        # Both are always compared, so that the time taken does not tell whether the name was right.
        is_name = is_same(username, self._administrator.username)
        is_password = self._is_password(password)
        if not (is_name and is_password):
            _log.warning("login_failed", remote=remote)
            raise Unauthorized("The name or the password is wrong.")
        self._throttle.succeed(remote)
        return self._tokens.issue(self._administrator.username)

    def complete_setup(
        self, password: str, confirmation: str, *, record: Callable[[sa.Connection], None] = unrecorded
    ) -> IssuedToken:
        """Set the first password, and log in.

        Raises:
            Forbidden: the setup is over.
            Invalid: the password is too short, or the confirmation differs.
        """
        over = Forbidden("The setup is done; log in instead.", code="setup_already_completed")
        if not self.setup_required():
            raise over
        if len(password) < SHORTEST_PASSWORD:
            text = f"Use {SHORTEST_PASSWORD} characters or more."
            raise Invalid("The password is too short.", details={"password": text})
        if password != confirmation:
            text = "It differs from the password."
            raise Invalid("The confirmation differs.", details={"confirm_password": text})
        hashed = hash_password(password)
        with self._database.write() as connection:
            if not store.write_fact(connection, PASSWORD_HASH, hashed, now=self._now()):
                raise over
            record(connection)
        _log.info("setup_completed")
        return self._tokens.issue(self._administrator.username)

    def identify(self, credential: str) -> Caller | None:
        """Return whom a token or an API key belongs to, or None."""
        if not credential:
            return None
        if credential.startswith(PREFIX):
            return self._key_owner(credential)
        username = self._tokens.verify(credential)
        if username is None or username != self._administrator.username:
            return None
        return Caller(kind="user", name=username, scope=Scope.ADMIN)

    def create_key(self, name: str, scope: Scope, *, record: RecordKey = unrecorded) -> CreatedKey:
        """Make an API key.

        Raises:
            Conflict: the name is taken.
        """
        text, now, trimmed = new_key(), self._now(), name.strip()
        if not trimmed:
            raise Conflict("An API key needs a name.")
        stored = {"name": trimmed, "scope": scope.value, "hint": hint_of(text), "created_at": now}
        with self._database.write() as connection:
            identifier = store.insert_key(connection, {**stored, "hash": hash_of(text)})
            made = ApiKey(
                id=identifier,
                name=trimmed,
                scope=scope,
                hint=hint_of(text),
                created_at=now,
                last_used_at=None,
            )
            record(connection, made)
        _log.info("api_key_created", name=trimmed, scope=scope.value)
        return CreatedKey(made, text)

    def revoke_key(self, identifier: int, *, record: RecordKey = unrecorded) -> None:
        """Revoke a key by its id.

        Raises:
            NotFound: no key in use has it.
        """
        self._revoke(api_keys.c.id == identifier, "No API key has this id.", record)

    def revoke_key_named(self, name: str, *, record: RecordKey = unrecorded) -> None:
        """Revoke a key by its name.

        Raises:
            NotFound: no key in use has it.
        """
        self._revoke(api_keys.c.name == name, "No API key has this name.", record)

    def _revoke(self, condition: sa.ColumnElement[bool], sentence: str, record: RecordKey) -> None:
        with self._database.write() as connection:
            revoked = store.revoke_key(connection, condition, now=self._now())
            if revoked is None:
                raise NotFound(sentence)
            record(connection, revoked)
        self.revocations += 1
        _log.info("api_key_revoked")

    def _is_password(self, password: str) -> bool:
        configured = self._administrator.password
        if configured is not None:
            return is_same(password, configured)
        with self._database.read() as connection:
            stored = store.read_fact(connection, PASSWORD_HASH)
        return stored is not None and fits_hash(password, stored)

    def _key_owner(self, credential: str) -> Caller | None:
        now = self._now()
        with self._database.read() as connection:
            key = store.find_key(connection, hash_of(credential))
        if key is None:
            return None
        if key.last_used_at is None or now - key.last_used_at >= NOTE_USE_AFTER:
            with self._database.write() as connection:
                store.touch_key(connection, key.id, now=now)
        return Caller(kind="api_key", name=key.name, scope=key.scope)


def signing_secret(database: Database, box: SecretBox, configured: str | None, *, now: datetime) -> str:
    """Return what signs tokens: the configured secret, else one made once and stored encrypted."""
    if configured is not None:
        return configured
    context = f"installation:{JWT_SECRET}:value"
    with database.write() as connection:
        sealed = store.read_fact(connection, JWT_SECRET)
        if sealed is not None:
            try:
                return box.decrypt(sealed, context)
            except SecretUnreadableError:
                # A new one costs no more than that everybody logs in again.
                _log.warning("jwt_secret_replaced", reason="unreadable with this secret key")
        secret = secrets.token_hex(32)
        store.replace_fact(connection, JWT_SECRET, box.encrypt(secret, context), now=now)
        return secret
