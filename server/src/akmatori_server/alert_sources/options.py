"""Settings of a source that this server acts on; others are kept for the clients that know them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, cast

import attrs

from akmatori_server.alert_sources.mappings import GENERIC
from akmatori_server.alert_sources.types import SLACK_CHANNEL
from akmatori_server.alerts.fields import LABELS, MEMBERS

STORM_THRESHOLD = 60
MOST_PER_MINUTE = 1_000_000
MOST_IDENTITY_FIELDS = 32
LONGEST_FIELD = 255
# Types whose sender signs the body under a header that its operator names.
SIGNED_TYPES = ("grafana", GENERIC)
IDENTITY_MEMBERS = (*MEMBERS, "fingerprint", "source", "source_type")

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")


@attrs.frozen(kw_only=True)
class SourceOptions:
    """How a source's deliveries are counted, checked and told apart."""

    identity_fields: tuple[str, ...] = ()
    """Members that make an alert the same as before; empty leaves it to the vendor's fingerprint."""
    rate_limit_per_minute: int | None = None
    """Deliveries taken in a minute; None takes all."""
    storm_threshold: int = STORM_THRESHOLD
    """New incidents in a minute from which on they become one."""
    signature_header: str = ""
    """Header of the HMAC that every delivery must carry, in lower case; "" when a shared secret will do."""
    timestamp_header: str = ""
    """Header of the moment that is signed with the body, in lower case; "" when none has to be."""


def read_options(settings: Mapping[str, Any] | None) -> SourceOptions:
    """Read stored settings; a member that breaks its rule counts as left out."""
    values, _ = _read(settings or {})
    return SourceOptions(**values)


def setting_complaints(type_name: str, settings: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what is wrong with written settings: a sentence per member, by its place."""
    given = settings or {}
    _, complaints = _read(given)
    for name in given:
        # Real clients send settings of their own; one that only looks like ours is a slip of the pen.
        meant = [] if name in _READERS else get_close_matches(name, _READERS, n=1, cutoff=0.85)
        if meant:
            complaints[f"settings.{name}"] = f"is not known here; did you mean {meant[0]}?"
    if type_name == SLACK_CHANNEL and not _text(given.get("slack_channel_id")):
        complaints["settings.slack_channel_id"] = "a Slack channel needs the channel's id."
    for name in ("signature_header", "timestamp_header"):
        if given.get(name) and type_name not in SIGNED_TYPES:
            complaints[f"settings.{name}"] = (
                f"only sources of the types {' and '.join(SIGNED_TYPES)} have one; a source of the type "
                f"{type_name} is proven as its vendor does it."
            )
    if given.get("timestamp_header") and not given.get("signature_header"):
        complaints.setdefault("settings.timestamp_header", "needs settings.signature_header beside it.")
    return complaints


def _read(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    complaints: dict[str, str] = {}
    for name, read in _READERS.items():
        given = settings.get(name)
        if given is None:
            continue
        try:
            values[name] = read(given)
        except ValueError as error:
            complaints[f"settings.{name}"] = str(error)
    return values, complaints


def _identity_fields(given: object) -> tuple[str, ...]:
    sentence = (
        "must be an array of names of members or labels, such as "
        '["alert_name", "labels.cluster"]; the members are ' + ", ".join(IDENTITY_MEMBERS) + "."
    )
    if not isinstance(given, list):
        raise ValueError(sentence)  # noqa: TRY004  every broken rule is told in the same way
    names = [name.strip() if isinstance(name, str) else "" for name in cast("list[object]", given)]
    if not all(0 < len(name) <= LONGEST_FIELD and _is_field(name) for name in names):
        raise ValueError(sentence)
    if len(names) > MOST_IDENTITY_FIELDS or len(set(names)) < len(names):
        raise ValueError(f"must be {MOST_IDENTITY_FIELDS} different names at most.")
    return tuple(names)


def _is_field(name: str) -> bool:
    """Whether it is a member, a label by its bare name, or `labels.` with a name; `lables.x` is none of them."""
    return name in IDENTITY_MEMBERS or "." not in name or (name.startswith(LABELS) and name != LABELS)


def _per_minute(unit: str) -> Callable[[object], int]:
    def read(given: object) -> int:
        # JSON has one kind of number: 60.0 is 60. True is none, though Python counts with it.
        whole = isinstance(given, (int, float)) and not isinstance(given, bool) and given == given // 1
        if not whole or not 1 <= cast("float", given) <= MOST_PER_MINUTE:
            raise ValueError(f"must be a whole number of {unit}, 1 to {MOST_PER_MINUTE}.")
        return int(cast("float", given))

    return read


def _header(given: object) -> str:
    if given == "":
        return ""
    if not isinstance(given, str) or not _HEADER.fullmatch(given.strip()):
        raise ValueError("must be the name of a header, such as X-Grafana-Alerting-Signature.")
    return given.strip().lower()


def _text(given: object) -> str:
    return given.strip() if isinstance(given, str) else ""


_READERS: Mapping[str, Callable[[object], object]] = {
    "identity_fields": _identity_fields,
    "rate_limit_per_minute": _per_minute("deliveries per minute"),
    "storm_threshold": _per_minute("incidents per minute"),
    "signature_header": _header,
    "timestamp_header": _header,
}
