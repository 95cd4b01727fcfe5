"""What an installation says about Aotanami: clusters and folders, scans, drift, costs and tokens; read and checked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import attrs

from akmatori_server.kubernetes.access.settings import AccessSettings, AccessSettingsError, read_access
from akmatori_server.kubernetes.api_versions import release_of
from akmatori_server.kubernetes.checks.registries import RegistryError, registry_of

RESIZE_STRATEGIES = ("conservative", "moderate", "aggressive")
DEFAULT_SCAN_SCHEDULE = "0 3 * * *"
# As Kubernetes names things.
_TARGET_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class KubernetesSettingsError(Exception):
    """A setting cannot be used; the sentence says which and why."""


class Variables(Protocol):
    """The environment: variables by their name without the prefix."""

    def text(self, name: str) -> str | None:
        """Return a variable; None when it is not set."""
        ...

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        ...


@attrs.frozen(kw_only=True)
class KubernetesSettings:
    """Everything that an installation may set of Aotanami."""

    # Clusters that Aotanami watches: a file of them, the one that the server runs in, and a context of a kubeconfig
    # file (None: the usual places).
    clusters_file: Path | None = None
    in_cluster: bool = False
    context: str | None = None
    kubeconfig: Path | None = None
    # What is read of these two one by one, where a list of all namespaces is forbidden; none: those that the cluster
    # lists, else the one of the credentials.
    readable_namespaces: tuple[str, ...] = ()
    # Folders of manifests that Aotanami scans, by their names.
    manifests: tuple[tuple[str, tuple[Path, ...]], ...] = ()
    # When everything is scanned by itself, as cron says it, in UTC; None: never. Nothing is when there is nothing.
    scan_schedule: str | None = DEFAULT_SCAN_SCHEDULE
    # A file of findings that are accepted, read again by every scan.
    scan_exceptions: Path | None = None
    # Checks that are never made; registries that images may come from (none: any); and the release of Kubernetes
    # that everything is meant for (None: the cluster's own, and the newest for manifests).
    scan_skip: tuple[str, ...] = ()
    scan_registries: tuple[str, ...] = ()
    scan_kubernetes_version: tuple[int, int] | None = None
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


def read_kubernetes(read: Variables) -> KubernetesSettings:
    """Read the settings.

    What needs more than its text to be checked, such as the names of checks, the services check as they are built.

    Raises:
        KubernetesSettingsError: a value cannot be used.
    """
    return KubernetesSettings(
        prices=_prices(read.text("PRICES")),
        cost_budget=_money(read.text("COST_BUDGET")),
        resize_strategy=_strategy(read.text("RESIZE_STRATEGY") or "conservative"),
        prometheus_url=_address("PROMETHEUS_URL", read.text("PROMETHEUS_URL")),
        access=_access(read.text),
        token_budget=_token_budget(read.text("TOKEN_BUDGET")),
        token_alert_percent=read.number("TOKEN_ALERT_PERCENT", 80, 1, 100),
        clusters_file=_path(read.text("CLUSTERS")),
        readable_namespaces=_namespaces(read.text("READABLE_NAMESPACES")),
        in_cluster=read.number("IN_CLUSTER", 0, 0, 1) == 1,
        manifests=_manifests(read.text("MANIFESTS") or ""),
        scan_schedule=_schedule(read.text("SCAN_SCHEDULE")),
        scan_exceptions=_path(read.text("SCAN_EXCEPTIONS")),
        scan_skip=_parts(read.text("SCAN_SKIP")),
        scan_registries=_registries(read.text("SCAN_REGISTRIES")),
        scan_kubernetes_version=_release(read.text("SCAN_KUBERNETES_VERSION")),
        drift_source=_folder(read.text("DRIFT_SOURCE")),
        drift_target=read.text("DRIFT_TARGET"),
        drift_ignore=_parts(read.text("DRIFT_IGNORE")),
    )


def _access(text: Callable[[str], str | None]) -> AccessSettings:
    try:
        return read_access(text)
    except AccessSettingsError as error:
        raise KubernetesSettingsError(str(error)) from None


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()


def _address(name: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        address = urlsplit(text)
        is_whole = address.scheme.lower() in ("http", "https") and bool(address.hostname)
        _ = address.port
    except ValueError:
        is_whole = False
    if not is_whole:
        raise KubernetesSettingsError(
            f"AKMATORI_{name} must begin with http:// or https://, and name a host, such as http://prometheus:9090."
        )
    return text


def _namespaces(text: str | None) -> tuple[str, ...]:
    names = _parts(text)
    wrong = next((name for name in names if not _TARGET_NAME.fullmatch(name)), None)
    if wrong is not None:
        raise KubernetesSettingsError(
            f"AKMATORI_READABLE_NAMESPACES: {wrong[:100]} is no namespace; list their names, such as shop,pay."
        )
    return tuple(dict.fromkeys(names))


def _token_budget(text: str | None) -> tuple[int, int, int]:
    if text is None:
        return 0, 0, 0
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 13 for part in parts):
        raise KubernetesSettingsError(
            "AKMATORI_TOKEN_BUDGET must be three numbers of tokens, for an hour, a day and a month, such as"
            " 50000,500000,10000000; 0 is any number."
        )
    hour, day, month = map(int, parts)
    return hour, day, month


def _manifests(text: str) -> tuple[tuple[str, tuple[Path, ...]], ...]:
    """Read `path` or `name=path`, several with commas between; paths of one name belong together."""
    found: dict[str, tuple[Path, ...]] = {}
    for part in text.split(","):
        name, equals, path = part.strip().rpartition("=")
        if not path and not equals:
            continue
        folder = Path(path).expanduser()
        if not path or not folder.exists():
            raise KubernetesSettingsError(
                f"AKMATORI_MANIFESTS: there is no file or folder {path or part.strip()}."
            )
        name = name.strip() if equals else "manifests"
        if not _TARGET_NAME.fullmatch(name):
            raise KubernetesSettingsError(
                f"AKMATORI_MANIFESTS: {name} is no name; use small letters, digits and hyphens, 63 at most."
            )
        found[name] = (*found.get(name, ()), folder)
    return tuple(found.items())


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _release(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    release = release_of(text)
    if release is None:
        raise KubernetesSettingsError("AKMATORI_SCAN_KUBERNETES_VERSION must be a release, such as 1.33.")
    return release


def _registries(text: str | None) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(map(registry_of, _parts(text))))
    except RegistryError as error:
        raise KubernetesSettingsError(f"AKMATORI_SCAN_REGISTRIES: {error}") from None


def _schedule(text: str | None) -> str | None:
    if text is None:
        return DEFAULT_SCAN_SCHEDULE
    if text.strip().lower() == "off":
        return None
    # The clock of the engine reads it; nobody else pays for the import.
    from croniter import croniter  # type: ignore[import-untyped]  # it comes with the engine, without types

    if len(text.split()) != 5 or not croniter.is_valid(text):
        raise KubernetesSettingsError(
            "AKMATORI_SCAN_SCHEDULE must be five fields as cron has them, such as 0 3 * * *, or off."
        )
    return text.strip()


def _folder(text: str | None) -> Path | None:
    if text is None:
        return None
    folder = Path(text).expanduser()
    if not folder.exists():
        raise KubernetesSettingsError(f"AKMATORI_DRIFT_SOURCE: there is no file or folder {folder}.")
    return folder


def _prices(text: str | None) -> tuple[float, float, float] | None:
    if text is None:
        return None
    try:
        cpu, memory, storage = (float(part) for part in text.split(","))
    except ValueError:
        cpu = memory = storage = -1.0
    if min(cpu, memory, storage) < 0 or not math.isfinite(cpu + memory + storage):
        raise KubernetesSettingsError(
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
        raise KubernetesSettingsError(
            "AKMATORI_COST_BUDGET must be an amount of US dollars a month, such as 500."
        )
    return amount


def _strategy(text: str) -> str:
    if text not in RESIZE_STRATEGIES:
        raise KubernetesSettingsError(
            f"AKMATORI_RESIZE_STRATEGY must be one of {', '.join(RESIZE_STRATEGIES)}."
        )
    return text
