"""Connections to PostgreSQL: to the address that was checked, in one transaction that only reads."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import certifi
import psycopg

from akmatori_server.kits.postgresql.settings import Settings
from akmatori_server.outgoing.errors import AddressRefusedError
from akmatori_server.outgoing.guard import resolve_checked
from akmatori_server.toolbox.models import ToolFailedError
from akmatori_server.tools.redaction import without_secrets

CONNECT_SECONDS = 10
LOCK_SECONDS = 5
LONGEST_CAUSE = 500

# A certificate that a server shows is compared with these only, and none of this server's own is shown to it.
_CHECKING = frozenset({"verify-ca", "verify-full"})
# Not empty, for then libpq would look into its environment and this user's home directory.
_NO_FILE = "/dev/null/none"

_IN_SETTINGS = "in the tool's settings"
# What to do about which words of libpq and of servers; the first that fits.
_HINTS: tuple[tuple[str, str], ...] = (
    (
        "unsupported startup parameter",
        "If that is PgBouncer, set ignore_startup_parameters = options in its configuration.",
    ),
    ("does not support SSL", "If that is meant, set pg_ssl_mode to disable."),
    (
        "(password|SASL) authentication failed|auth failed",
        f"Check pg_username and pg_password {_IN_SETTINGS}.",
    ),
    ("pg_hba", "The database's administrator has to let this server in, by a line in pg_hba.conf."),
    (
        "SSL negotiation|expected authentication request|closed the connection",
        f"That port may not be the one of PostgreSQL; check pg_port {_IN_SETTINGS}.",
    ),
    (
        "timeout|timed out",
        f"Check pg_host and pg_port {_IN_SETTINGS}, and whether a firewall is on the way.",
    ),
    (
        "Connection refused|No route to host|unreachable",
        f"Check pg_host and pg_port {_IN_SETTINGS}, and whether the database runs.",
    ),
    ("certificate", f"Check pg_ca_cert and pg_ssl_mode {_IN_SETTINGS}."),
    ('^role "|^no such user', f"Check pg_username {_IN_SETTINGS}."),
    ('^database ".* does not exist|^no such database', f"Check pg_database {_IN_SETTINGS}."),
)


@asynccontextmanager
async def reading(settings: Settings) -> AsyncGenerator[psycopg.AsyncConnection]:
    """Connect, and yield the connection in a transaction that cannot write and ends in time.

    Raises:
        ToolFailedError: there is no connection; the sentence says why.
    """
    try:
        address = await resolve_checked(settings.host, settings.port, settings.policy)
    except AddressRefusedError as error:
        raise ToolFailedError(str(error)) from None
    with _authorities(settings) as authorities:
        connection = await _connected(settings, address, authorities)
    # Not `async with connection`: that would commit.
    async with contextlib.aclosing(_Closing(connection)):
        await connection.set_read_only(True)
        await connection.execute(_limits(settings.timeout_seconds).encode())
        yield connection


class _Closing:
    """Closes a connection under the name that `aclosing` wants."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    async def aclose(self) -> None:
        await self._connection.close()


async def _connected(settings: Settings, address: str, authorities: str) -> psycopg.AsyncConnection:
    try:
        return await psycopg.AsyncConnection.connect(
            # Each that libpq would otherwise take from the environment, a service file or the home directory.
            host=settings.host,
            hostaddr=address,
            port=settings.port,
            dbname=settings.database,
            user=settings.user,
            password=settings.password,
            passfile=_NO_FILE,
            sslmode=settings.ssl_mode,
            sslrootcert=authorities,
            sslcertmode="disable",
            sslnegotiation="postgres",
            ssl_min_protocol_version="TLSv1.2",
            gssencmode="disable",
            target_session_attrs="any",
            load_balance_hosts="disable",
            channel_binding="prefer",
            client_encoding="UTF8",
            application_name="akmatori",
            options="-c default_transaction_read_only=on",
            connect_timeout=CONNECT_SECONDS,
        )
    except (psycopg.Error, OSError) as error:
        raise ToolFailedError(_sentence(settings, error)) from None


@contextmanager
def _authorities(settings: Settings) -> Generator[str]:
    """Yield the file with the certificates that a server's is checked against."""
    if settings.ssl_mode not in _CHECKING:
        yield _NO_FILE
    elif not settings.ca_pem:
        yield certifi.where()
    else:
        with tempfile.NamedTemporaryFile("w", prefix="akmatori-ca-", suffix=".pem") as file:
            file.write(settings.ca_pem)
            file.flush()
            yield file.name


def _limits(timeout_seconds: int) -> str:
    """The limits of the transaction. They are gone with it, also where a pooler keeps the connection."""
    values = {
        "statement_timeout": f"{timeout_seconds}s",
        "lock_timeout": f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{timeout_seconds + LOCK_SECONDS}s",
        "standard_conforming_strings": "on",
        "datestyle": "ISO, YMD",
        "intervalstyle": "postgres",
        "timezone": "UTC",
        "bytea_output": "hex",
        # One query is not to take every core of a database in trouble.
        "max_parallel_workers_per_gather": "2",
    }
    return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in values.items())


def _sentence(settings: Settings, error: Exception) -> str:
    cause = without_secrets(str(error), [settings.password]).strip()
    # The library's own preface repeats the address, and advice follows in lines of its own.
    cause = (cause.splitlines() or [type(error).__name__])[0].rpartition(" failed: ")[2]
    cause = cause.removeprefix("FATAL:").strip()
    hint = next((f" {hint}" for words, hint in _HINTS if re.search(words, cause)), "")
    return f"No connection to the database {settings.place}: {cause[:LONGEST_CAUSE]}.{hint}".replace(
        "..", "."
    )
