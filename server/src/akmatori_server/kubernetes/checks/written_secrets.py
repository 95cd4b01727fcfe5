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
from akmatori_server.kubernetes.checks.secret_lines import secret_lines
from akmatori_server.kubernetes.checks.secret_values import (
    is_about,
    is_dense,
    is_made,
    is_secret,
    is_stand_in,
    may_be_secret,
    recognised,
)
from akmatori_server.kubernetes.manifests import ManifestObject, Node

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
    text = _decoded(written) if is_encoded and not is_stand_in(written) else written
    if text is None:
        # Bytes that are no text, such as a keystore.
        return True
    text = text.strip()
    if recognised(text) is not None:
        return True
    if not text or text in _EMPTY or is_stand_in(text) or _CERTIFICATES.fullmatch(text):
        return False
    if "\n" in text or text.startswith("{"):
        return any(True for _ in secret_lines(name, text))
    # A Secret may hold settings, too: what is under a name that says nothing is judged by its looks.
    speaks = name.lower() in _BESIDE or is_about(name)
    return is_secret(name, text) or is_dense(text) or (not speaks and may_be_secret(text) and is_made(text))


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
