"""The check of Secrets that are written in files, such as those of a repository."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Check, Hit, ObjectCheck
from akmatori_server.kubernetes.checks.secret_values import may_be_secret, recognised
from akmatori_server.kubernetes.manifests import ManifestObject, Node

# What tools put in the place of a value, or write when they have encrypted it.
_STAND_IN = re.compile(
    r"<[^<>]{1,500}>|\{\{.{0,500}\}\}|\$\{[^}]{0,500}\}|\$\([^)]{0,500}\)|\$[A-Z_][A-Z0-9_]{0,100}|%[A-Z_]{1,100}%"
    r"|ENC\[.{0,100000}\]|ref\+[a-z0-9]+://.{1,1000}|vault:.{1,1000}|op://.{1,1000}"
    r"|x{3,100}|\*{3,100}|\.{3}|(?:change|replace|fill)[-_ ]?(?:me|this|it)?(?:[-_ ].{0,40})?"
    r"|(?:your|example|sample|dummy|placeholder|todo|tbd|fixme|redacted|masked)(?:[-_ ].{0,60})?",
    re.IGNORECASE | re.DOTALL,
)
_CERTIFICATES = re.compile(
    r"\s*(?:-----BEGIN (?:TRUSTED )?(?:CERTIFICATE|PUBLIC KEY)-----[^-]{0,100000}"
    r"-----END (?:TRUSTED )?(?:CERTIFICATE|PUBLIC KEY)-----\s*){1,500}"
)
# Names of keys that go with a secret, and are none.
_BESIDE = frozenset(
    {
        "bucket",
        "ca.crt",
        "database",
        "db",
        "dbname",
        "email",
        "endpoint",
        "host",
        "hostname",
        "login",
        "namespace",
        "port",
        "provider",
        "region",
        "schema",
        "service-ca.crt",
        "tls.crt",
        "type",
        "uri",
        "url",
        "user",
        "username",
    }
)
_EMPTY = frozenset({"{}", "[]", '{"auths":{}}', '{"auths": {}}'})


def _written(found: ManifestObject, _: Context) -> Iterator[Hit]:
    if found.group != "" or found.body.get("sops").exists:
        return
    names: list[str] = []
    first: tuple[str, str] | None = None
    for member, is_encoded in (("data", True), ("stringData", False)):
        for name, node in found.body.get(member).named():
            if _is_secret(name, node, is_encoded=is_encoded):
                first = first or (member, name)
                names.append(name[:100])
    if first is not None:
        # One of each Secret, whose names do not change what it is; values are never told.
        yield Hit(first, evidence=", ".join(sorted(set(names)))[:1000])


def _is_secret(name: str, node: Node, *, is_encoded: bool) -> bool:
    written = node.text().strip()
    if not written or _STAND_IN.fullmatch(written):
        return False
    text = _decoded(written) if is_encoded else written
    if text is None:
        # Bytes that are no text, such as a keystore.
        return True
    text = text.strip()
    if recognised(text) is not None:
        return True
    if not text or text in _EMPTY or _STAND_IN.fullmatch(text) or _CERTIFICATES.fullmatch(text):
        return False
    return name.lower() not in _BESIDE and may_be_secret(text)


def _decoded(written: str) -> str | None:
    """Return the text that is encoded; the text itself where it is not; None for bytes that are no text."""
    try:
        content = base64.b64decode("".join(written.split()), validate=True)
    except (binascii.Error, ValueError):
        return written
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


CHECKS: tuple[Check, ...] = (
    ObjectCheck(
        "secret-in-manifest",
        Severity.MEDIUM,
        Category.SECRETS_EXPOSURE,
        "Secret with its values in a file",
        "Whoever reads the file, or the history of its repository, reads the values: base64 hides nothing.",
        "Keep an encrypted or external Secret in the repository instead, and change the values: others have read them.",
        # A live cluster is not looked at, so it decides no control.
        controls(),
        frozenset({"Secret"}),
        _written,
        manifests_only=True,
    ),
)
"""In the order in which they are listed."""
