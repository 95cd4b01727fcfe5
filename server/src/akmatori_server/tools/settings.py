"""Checking the settings of a tool against its type: one sentence for each setting that is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import jsonschema_rs
from cryptography import x509

from akmatori_server.complaints import refuse
from akmatori_server.outgoing.policy import parsed_networks
from akmatori_server.tools.definition import Schema

# What the contract's `details` holds.
LONGEST_SENTENCE = 500
# Managed by its own operations; in settings it is only shown.
KEYS = "ssh_keys"
HOSTS = "ssh_hosts"
KEY_ID = "key_id"


def given_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was set: forms send null and "" for a field that was left empty."""
    return {
        name: value for name, value in settings.items() if value is not None and value != "" and name != KEYS
    }


def check_settings(schema: Schema | None, settings: Mapping[str, Any]) -> None:
    """Compare settings with the schema of their type.

    Raises:
        BadRequest: with a sentence for each wrong setting in `details`; none repeats a value, it may be a secret.
    """
    if schema is None:
        return
    validator = jsonschema_rs.Draft202012Validator(
        dict(schema), validate_formats=True, formats=_FORMATS, ignore_unknown_formats=True
    )
    found: dict[str, str] = {}
    for error in validator.iter_errors(dict(settings)):
        for place, sentence in _complaints(schema, error):
            found.setdefault(place[:255], sentence[:LONGEST_SENTENCE])
    refuse(found)


def check_key_ids(settings: Mapping[str, Any], known: frozenset[str]) -> None:
    """Check that every host's key is one of the tool.

    Raises:
        BadRequest: a host names a key that the tool does not have.
    """
    refuse(
        {
            f"settings.{HOSTS}.{index}.{KEY_ID}": "this tool has no such key."
            for index, host in enumerate(_hosts(settings))
            if host.get(KEY_ID) and host[KEY_ID] not in known
        }
    )


def hosts_with_key(settings: Mapping[str, Any] | None, key_id: str) -> list[str]:
    """Name the hosts that use a key."""
    return [
        str(host.get("hostname") or host.get("address") or "")
        for host in _hosts(settings or {})
        if host.get(KEY_ID) == key_id
    ]


def _hosts(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    hosts = settings.get(HOSTS)
    if not isinstance(hosts, list):
        return []
    return [cast("Mapping[str, Any]", host) for host in cast("list[object]", hosts) if isinstance(host, dict)]


def _complaints(schema: Schema, error: jsonschema_rs.ValidationError) -> Iterator[tuple[str, str]]:
    kind = cast("Any", error.kind)
    place = ".".join(["settings", *(str(step) for step in error.instance_path)])
    if kind.name == "required":
        yield f"{place}.{kind.property}", "must be given."
    elif kind.name == "additionalProperties":
        known = _names_at(schema, [str(step) for step in error.instance_path])
        for name in kind.unexpected:
            yield f"{place}.{name}", _unknown(str(name), known)
    else:
        sentence = _SENTENCES.get(kind.name)
        yield place, sentence(kind) if sentence is not None else f"breaks the rule {kind.name}."


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"there is no such setting; did you mean {close[0]}?" if close else "there is no such setting."


def _names_at(schema: Schema, path: list[str]) -> list[str]:
    """Name the settings the schema knows at a place."""
    place: Mapping[str, Any] = schema
    for step in path:
        place = place.get("items", {}) if step.isdecimal() else place.get("properties", {}).get(step, {})
    return list(place.get("properties", {}))


def _or(words: Sequence[str]) -> str:
    return " or ".join(words) if len(words) < 3 else f"one of {', '.join(words)}"


_TYPE_WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_FORMAT_WORDS = {
    "web-address": "must be an http or https address, without user name, password, query or fragment.",
    "pem-certificate": "must be a certificate in PEM form.",
    "network": "must be a network such as 10.20.0.0/16, or an address.",
}
_SENTENCES: Mapping[str, Callable[[Any], str]] = {
    "type": lambda kind: f"must be {_or([_TYPE_WORDS.get(str(name), str(name)) for name in kind.types])}.",
    "enum": lambda kind: f"must be {_or([str(option) for option in kind.options])}.",
    "minLength": lambda kind: (
        "must not be empty." if kind.limit == 1 else f"needs {kind.limit} characters or more."
    ),
    "maxLength": lambda kind: f"may have {kind.limit} characters at most.",
    "minimum": lambda kind: f"must be at least {kind.limit}.",
    "maximum": lambda kind: f"must be at most {kind.limit}.",
    "maxItems": lambda kind: f"may have {kind.limit} entries at most.",
    "pattern": lambda _kind: "must not have blanks, slashes or an @ in it.",
    "format": lambda kind: _FORMAT_WORDS.get(kind.format, f"must be a {kind.format}."),
}


def is_web_address(text: str) -> bool:
    """Whether a text is an address that requests may be built on."""
    if any(letter.isspace() or not letter.isprintable() for letter in text):
        return False
    try:
        parts = urlsplit(text)
        # Reading the port checks it.
        reachable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    bare = "@" not in parts.netloc and not parts.query and not parts.fragment
    return parts.scheme in {"http", "https"} and reachable and bare


def _is_certificate(text: str) -> bool:
    try:
        return bool(x509.load_pem_x509_certificates(text.encode()))
    except ValueError:
        return False


def _is_network(text: str) -> bool:
    try:
        parsed_networks([text])
    except ValueError:
        return False
    return True


_FORMATS: dict[str, Callable[[str], bool]] = {
    "web-address": is_web_address,
    "pem-certificate": _is_certificate,
    "network": _is_network,
}
