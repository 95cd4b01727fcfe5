"""What requests authenticate with."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import attrs

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.form import Auth, HttpForm, Scheme
from akmatori_server.toolbox.models import ToolFailedError


@attrs.frozen(kw_only=True)
class Credentials:
    """Headers, or members of the body. `secrets` are never shown, wherever they turn up."""

    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    body: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)

    def in_body(self, body: JSON) -> JSON:
        """Return a body with its members, in each call of a batch."""
        if isinstance(body, list):
            return [self.in_body(one) for one in body]
        return {**body, **self.body} if isinstance(body, dict) else body


NONE = Credentials()


def chosen_auth(form: HttpForm, settings: Mapping[str, Any]) -> Auth:
    """Return how requests of a tool with these settings authenticate."""
    return form.auth.ways[str(settings[form.auth.by])] if form.auth.by else form.auth.ways[""]


def credential_names(form: HttpForm, settings: Mapping[str, Any]) -> str:
    """Return the settings that the credentials of a tool come from, in words."""
    auth = chosen_auth(form, settings)
    return " and ".join(name for name in (auth.username, auth.secret) if name) or form.auth.by


def credentials_of(form: HttpForm, settings: Mapping[str, Any]) -> Credentials:
    """Return what goes with each request of a tool with these settings; nothing where it has to log in first.

    Raises:
        ToolFailedError: a setting is missing, or has characters that no header can carry.
    """
    auth, by = chosen_auth(form, settings), form.auth.by
    if auth.scheme is Scheme.HEADER:
        secret = _needed(settings, auth.secret, by)
        return Credentials(headers={auth.header: f"{auth.prefix}{secret}"}, secrets=(secret,))
    if auth.scheme is Scheme.BASIC:
        secret = _needed(settings, auth.secret, by)
        encoded = base64.b64encode(f"{_needed(settings, auth.username, by)}:{secret}".encode()).decode()
        return Credentials(headers={auth.header: f"Basic {encoded}"}, secrets=(secret, encoded))
    return NONE


def _needed(settings: Mapping[str, Any], name: str, by: str) -> str:
    value = str(settings.get(name) or "").strip()
    if not value:
        wanted = f", and {by} asks for it" if by else ""
        raise ToolFailedError(f"{name} is not set in the tool's settings{wanted}.")
    if not value.isprintable():
        raise ToolFailedError(f"{name} in the tool's settings has characters that no header can carry.")
    return value
