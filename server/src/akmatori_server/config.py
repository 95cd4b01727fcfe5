"""What an installation may set: from the environment and the command line, read once and checked."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path

import attrs
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from akmatori_server.agent.budget import Budget
from akmatori_server.kubernetes.access.settings import AccessSettings, AccessSettingsError, read_access
from akmatori_server.outgoing.policy import Network, parsed_networks

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080
DATABASE_FILE = "akmatori.db"
LONGEST_EXPIRY_HOURS = 24 * 365
RESIZE_STRATEGIES = ("conservative", "moderate", "aggressive")
DEFAULT_SCAN_SCHEDULE = "0 3 * * *"
LOG_LEVELS = ("debug", "info", "warning", "error")
# HS256 is as strong as its secret; RFC 7518 asks for as many bytes as the hash has.
SHORTEST_JWT_SECRET = 32
# As Kubernetes names things.
_TARGET_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


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

    # Clusters that Aotanami watches: a file of them, the one that the server runs in, and a context of a kubeconfig
    # file (None: the usual places).
    clusters_file: Path | None = None
    in_cluster: bool = False
    context: str | None = None
    kubeconfig: Path | None = None
    # Folders of manifests that Aotanami scans, by their names.
    manifests: tuple[tuple[str, tuple[Path, ...]], ...] = ()
    # When everything is scanned by itself, as cron says it, in UTC; None: never. Nothing is when there is nothing.
    scan_schedule: str | None = DEFAULT_SCAN_SCHEDULE
    # A file of findings that are accepted, read again by every scan.
    scan_exceptions: Path | None = None
    # A folder that says how things should be, which cluster or folder is compared with it (None: the first
    # cluster), and fields that may differ, as `Kind:path` with stars.
    drift_source: Path | None = None
    drift_target: str | None = None
    drift_ignore: tuple[str, ...] = ()
    # US dollars for an hour of a core, of a GiB of memory and of a GiB of storage; None: a public cloud's.
    prices: tuple[float, float, float] | None = None
    # US dollars a month that all workloads may cost; None for no budget.
    cost_budget: float | None = None
    resize_strategy: str = "conservative"
    # Where usage of containers is asked for; None: the metrics API of each cluster.
    prometheus_url: str | None = None
    # Whether tokens of Kubernetes open Aotanami's API, and how they are verified.
    access: AccessSettings = attrs.field(factory=AccessSettings)
    # Tokens of language models for an hour, a day and a month, 0 for any number; and from which share of them on an
    # alert is shown, in percent.
    token_budget: tuple[int, int, int] = (0, 0, 0)
    token_alert_percent: int = 80

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
        first_look=read.number("FIRST_LOOK", 1, 0, 1) == 1,
        open_catalogue=read.number("OPEN_CATALOGUE", 0, 0, 1) == 1,
        check_responses=read.number("CHECK_RESPONSES", 0, 0, 1) == 1,
        proposal_hours=read.number("PROPOSAL_HOURS", 24, 1, 24 * 90),
        slack_api_url=_web_address(read, "SLACK_API_URL"),
        base_url=_web_address(read, "BASE_URL") or "",
        allowed_networks=_networks(read.text("ALLOWED_NETWORKS") or ""),
        prices=_prices(read.text("PRICES")),
        cost_budget=_money(read.text("COST_BUDGET")),
        resize_strategy=_strategy(read.text("RESIZE_STRATEGY") or "conservative"),
        prometheus_url=_web_address(read, "PROMETHEUS_URL"),
        access=_access(read),
        token_budget=_token_budget(read.text("TOKEN_BUDGET")),
        token_alert_percent=read.number("TOKEN_ALERT_PERCENT", 80, 1, 100),
        clusters_file=_path(read.text("CLUSTERS")),
        in_cluster=read.number("IN_CLUSTER", 0, 0, 1) == 1,
        manifests=_manifests(read.text("MANIFESTS") or ""),
        scan_schedule=_schedule(read.text("SCAN_SCHEDULE")),
        scan_exceptions=_path(read.text("SCAN_EXCEPTIONS")),
        drift_source=_folder(read.text("DRIFT_SOURCE")),
        drift_target=read.text("DRIFT_TARGET"),
        drift_ignore=tuple(
            part.strip() for part in (read.text("DRIFT_IGNORE") or "").split(",") if part.strip()
        ),
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


def _budget(read: _Environment) -> Budget:
    usual = Budget()
    return Budget(
        minutes=read.number("BUDGET_MINUTES", usual.minutes, 1, 1440),
        requests=read.number("BUDGET_REQUESTS", usual.requests, 1, 10_000),
        tokens=read.number("BUDGET_TOKENS", usual.tokens, 1000, 100_000_000),
        tool_calls=read.number("BUDGET_TOOL_CALLS", usual.tool_calls, 0, 10_000),
    )


def _access(read: _Environment) -> AccessSettings:
    try:
        return read_access(read.text)
    except AccessSettingsError as error:
        raise ConfigurationError(str(error)) from None


def _token_budget(text: str | None) -> tuple[int, int, int]:
    if text is None:
        return 0, 0, 0
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 13 for part in parts):
        raise ConfigurationError(
            "AKMATORI_TOKEN_BUDGET must be three numbers of tokens, for an hour, a day and a month, such as"
            " 50000,500000,10000000; 0 is any number."
        )
    hour, day, month = map(int, parts)
    return hour, day, month


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


def _manifests(text: str) -> tuple[tuple[str, tuple[Path, ...]], ...]:
    """Read `path` or `name=path`, several with commas between; paths of one name belong together."""
    found: dict[str, tuple[Path, ...]] = {}
    for part in text.split(","):
        name, equals, path = part.strip().rpartition("=")
        if not path:
            continue
        folder = Path(path).expanduser()
        if not folder.exists():
            raise ConfigurationError(f"AKMATORI_MANIFESTS: there is no file or folder {folder}.")
        name = name.strip() if equals else "manifests"
        if not _TARGET_NAME.fullmatch(name):
            raise ConfigurationError(
                f"AKMATORI_MANIFESTS: {name} is no name; use small letters, digits and hyphens, 63 at most."
            )
        found[name] = (*found.get(name, ()), folder)
    return tuple(found.items())


def _schedule(text: str | None) -> str | None:
    if text is None:
        return DEFAULT_SCAN_SCHEDULE
    if text.strip().lower() == "off":
        return None
    # The clock of the engine reads it; nobody else pays for the import.
    from croniter import croniter  # type: ignore[import-untyped]  # it comes with the engine, without types

    if len(text.split()) != 5 or not croniter.is_valid(text):
        raise ConfigurationError(
            "AKMATORI_SCAN_SCHEDULE must be five fields as cron has them, such as 0 3 * * *, or off."
        )
    return text.strip()


def _folder(text: str | None) -> Path | None:
    if text is None:
        return None
    folder = Path(text).expanduser()
    if not folder.exists():
        raise ConfigurationError(f"AKMATORI_DRIFT_SOURCE: there is no file or folder {folder}.")
    return folder


def _prices(text: str | None) -> tuple[float, float, float] | None:
    if text is None:
        return None
    try:
        cpu, memory, storage = (float(part) for part in text.split(","))
    except ValueError:
        cpu = memory = storage = -1.0
    if min(cpu, memory, storage) < 0 or not math.isfinite(cpu + memory + storage):
        raise ConfigurationError(
            "AKMATORI_PRICES must be three prices per hour, of a core, a GiB of memory and a GiB of storage, such as"
            " 0.03,0.004,0.00005."
        )
    return cpu, memory, storage


def _money(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if amount < 0 or not math.isfinite(amount):
        raise ConfigurationError("AKMATORI_COST_BUDGET must be an amount of US dollars a month, such as 500.")
    return amount


def _strategy(text: str) -> str:
    if text not in RESIZE_STRATEGIES:
        raise ConfigurationError(f"AKMATORI_RESIZE_STRATEGY must be one of {', '.join(RESIZE_STRATEGIES)}.")
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
