"""What an installation may set: from the environment and the command line, read once and checked."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path

import attrs
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from akmatori_server.agent.budget import Budget
from akmatori_server.kubernetes.configuration import (
    KubernetesSettings,
    KubernetesSettingsError,
    read_kubernetes,
)
from akmatori_server.outgoing.policy import Network, parsed_networks

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080
DATABASE_FILE = "akmatori.db"
LONGEST_EXPIRY_HOURS = 24 * 365
LOG_LEVELS = ("debug", "info", "warning", "error")
# HS256 is as strong as its secret; RFC 7518 asks for as many bytes as the hash has.
SHORTEST_JWT_SECRET = 32


class ConfigurationError(Exception):
    """A setting cannot be used; the sentence says which and why."""


@attrs.frozen(kw_only=True)
class Settings:
    """Everything an installation may set. Secrets never show in its `repr`."""

    data_dir: Path
    database_url: str = attrs.field(repr=False)
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    admin_username: str = "admin"
    admin_password: str | None = attrs.field(default=None, repr=False)
    jwt_secret: str | None = attrs.field(default=None, repr=False)
    jwt_expiry_hours: int = 24
    # Keys that encrypt stored secrets, newest first; None: the key file in the data directory.
    secret_keys: tuple[str, ...] | None = attrs.field(default=None, repr=False)
    cors_origins: tuple[str, ...] = ()
    log_level: str = "info"
    # Incidents investigated at once by one process.
    concurrency: int = 4
    # What one investigation by a language model may cost.
    budget: Budget = attrs.field(factory=Budget)
    # How many of these may be of one alert source; None: three quarters.
    concurrency_per_source: int | None = None
    # Whether `serve` investigates, too; where it does not, `worker` processes do.
    work: bool = True
    # Seconds of silence after which a worker counts as dead and others do its work.
    worker_ttl: int = 15
    # Streams of events open at once; further readers are told to come back.
    event_streams: int = 500
    # Correlation rules that decide alone; None: the ones that the API stored.
    rules_file: Path | None = None
    # What is told where; None: as the API stored it.
    notifications_file: Path | None = None
    # Whether common tools are asked what can be asked about any alert, where no model investigates.
    first_look: bool = True
    # Let the dashboard of the product read the catalogue of tools without a login.
    open_catalogue: bool = False
    # Check every answer against the specification; for tests and staging.
    check_responses: bool = False
    # How long an action that would change something waits for a decision.
    proposal_hours: int = 24
    # Another address of Slack's API: a gateway, or a stand-in for tests.
    slack_api_url: str | None = None
    # Where people reach this installation, when the general settings do not say.
    base_url: str = ""
    # Private networks that every tool may reach; each tool's own settings may name more.
    allowed_networks: tuple[Network, ...] = ()

    # What Aotanami watches, and how it judges it.
    kubernetes: KubernetesSettings = attrs.field(factory=KubernetesSettings)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is the embedded one."""
        return make_url(self.database_url).get_backend_name() == "sqlite"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@attrs.frozen(kw_only=True)
class Options:
    """What the command line says; None where it says nothing. It wins over the environment."""

    host: str | None = None
    port: int | None = None
    data_dir: Path | None = None
    database_url: str | None = None
    work: bool | None = None


NO_OPTIONS = Options()


def load_settings(environment: Mapping[str, str] | None = None, options: Options = NO_OPTIONS) -> Settings:
    """Read the settings.

    Every name of the product (`ADMIN_PASSWORD`, `HTTP_PORT`, …) is read with the prefix `AKMATORI_` first.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    read = _Environment(os.environ if environment is None else environment)
    data_dir = options.data_dir or _data_dir(read)
    database_url = (
        options.database_url or read.text("DATABASE_URL") or f"sqlite:///{data_dir / DATABASE_FILE}"
    )
    jwt_secret = read.text("JWT_SECRET")
    if jwt_secret is not None and len(jwt_secret.encode()) < SHORTEST_JWT_SECRET:
        raise ConfigurationError(
            f"AKMATORI_JWT_SECRET needs {SHORTEST_JWT_SECRET} bytes or more; leave it out to have one made."
        )
    log_level = (read.text("LOG_LEVEL") or "info").lower()
    if log_level not in LOG_LEVELS:
        raise ConfigurationError(f"AKMATORI_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}.")
    return Settings(
        data_dir=data_dir,
        database_url=_checked_url(database_url),
        host=options.host or read.text("HTTP_HOST") or DEFAULT_HOST,
        port=options.port if options.port is not None else read.number("HTTP_PORT", DEFAULT_PORT, 0, 65535),
        admin_username=read.text("ADMIN_USERNAME") or "admin",
        admin_password=read.text("ADMIN_PASSWORD"),
        jwt_secret=jwt_secret,
        jwt_expiry_hours=read.number("JWT_EXPIRY_HOURS", 24, 1, LONGEST_EXPIRY_HOURS),
        secret_keys=_secret_keys(read),
        cors_origins=_origins(read.text("CORS_ORIGINS") or ""),
        log_level=log_level,
        concurrency=read.number("CONCURRENCY", 4, 1, 100),
        budget=_budget(read),
        concurrency_per_source=read.optional_number("CONCURRENCY_PER_SOURCE", 1, 100),
        work=read.number("WORK", 1, 0, 1) == 1 if options.work is None else options.work,
        worker_ttl=read.number("WORKER_TTL", 15, 1, 3600),
        # Fewer than the connections a server takes, so that requests find one, too.
        event_streams=read.number("EVENT_STREAMS", 500, 1, 900),
        rules_file=_path(read.text("RULES_FILE")),
        notifications_file=_path(read.text("NOTIFICATIONS_FILE")),
        first_look=read.number("FIRST_LOOK", 1, 0, 1) == 1,
        open_catalogue=read.number("OPEN_CATALOGUE", 0, 0, 1) == 1,
        check_responses=read.number("CHECK_RESPONSES", 0, 0, 1) == 1,
        proposal_hours=read.number("PROPOSAL_HOURS", 24, 1, 24 * 90),
        slack_api_url=_web_address(read, "SLACK_API_URL"),
        base_url=_web_address(read, "BASE_URL") or "",
        allowed_networks=_networks(read.text("ALLOWED_NETWORKS") or ""),
        kubernetes=_kubernetes(read),
    )


def prepare_data_dir(settings: Settings) -> None:
    """Make the data directory, readable by its owner only.

    Raises:
        ConfigurationError: it cannot be made or written.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The data directory {settings.data_dir} cannot be made: {error.strerror}."
        ) from error
    if not os.access(settings.data_dir, os.W_OK | os.X_OK):
        raise ConfigurationError(f"The data directory {settings.data_dir} is not writable.")


class _Environment:
    """Environment variables by plain name or with the prefix, which wins. An empty one counts as unset."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str) -> str | None:
        return self._variables.get(f"AKMATORI_{name}") or self._variables.get(name) or None

    def number(self, name: str, default: int, least: int, most: int) -> int:
        number = self.optional_number(name, least, most)
        return default if number is None else number

    def optional_number(self, name: str, least: int, most: int) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text) <= most:
            raise ConfigurationError(f"AKMATORI_{name} must be a whole number from {least} to {most}.")
        return int(text)


def _data_dir(read: _Environment) -> Path:
    named = read.text("DATA_DIR")
    if named is not None:
        return Path(named).expanduser()
    home = read.text("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "akmatori"


def _kubernetes(read: _Environment) -> KubernetesSettings:
    try:
        return read_kubernetes(read)
    except KubernetesSettingsError as error:
        raise ConfigurationError(str(error)) from None


def _budget(read: _Environment) -> Budget:
    usual = Budget()
    return Budget(
        minutes=read.number("BUDGET_MINUTES", usual.minutes, 1, 1440),
        requests=read.number("BUDGET_REQUESTS", usual.requests, 1, 10_000),
        tokens=read.number("BUDGET_TOKENS", usual.tokens, 1000, 100_000_000),
        tool_calls=read.number("BUDGET_TOOL_CALLS", usual.tool_calls, 0, 10_000),
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()


def _checked_url(text: str) -> str:
    sentence = "DATABASE_URL must look like sqlite:////path/file.db or postgresql://user:password@host/name."
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The cause would repeat the URL, and with it the password.
        raise ConfigurationError(sentence) from None
    if url.get_backend_name() not in {"sqlite", "postgresql", "postgres"}:
        raise ConfigurationError(sentence)
    return text


def _secret_keys(read: _Environment) -> tuple[str, ...] | None:
    text, file = read.text("SECRET_KEY"), read.text("SECRET_KEY_FILE")
    if text is not None and file is not None:
        raise ConfigurationError("Set AKMATORI_SECRET_KEY or AKMATORI_SECRET_KEY_FILE, not both.")
    if file is not None:
        try:
            text = Path(file).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"AKMATORI_SECRET_KEY_FILE {file} cannot be read.") from error
    return None if text is None else tuple(key for key in text.replace(",", " ").split())


def _web_address(read: _Environment, name: str) -> str | None:
    text = read.text(name)
    if text is not None and not text.lower().startswith(("http://", "https://")):
        raise ConfigurationError(f"AKMATORI_{name} must begin with http:// or https://.")
    return text


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return parsed_networks(text.replace(",", " ").split())
    except ValueError as error:
        raise ConfigurationError(f"AKMATORI_ALLOWED_NETWORKS: {error}") from None


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(origin.strip().rstrip("/") for origin in text.split(",") if origin.strip())
    for origin in origins:
        if not origin.startswith(("http://", "https://")):
            raise ConfigurationError(
                "AKMATORI_CORS_ORIGINS must list origins such as https://ops.example.org."
            )
    return origins
