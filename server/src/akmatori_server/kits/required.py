"""What the kits ask of the settings of every tool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from akmatori_server.outgoing.policy import Policy
from akmatori_server.toolbox.models import ToolFailedError


def require(settings: Mapping[str, Any], *names: str) -> None:
    """Check that settings are given.

    Raises:
        ToolFailedError: one is not.
    """
    for name in names:
        if not settings.get(name):
            raise ToolFailedError(f"The tool's setting {name} must be given.")


def policy_of(settings: Mapping[str, Any], installation: Policy) -> Policy:
    """Return where a tool may connect to; `installation` says it for all of them.

    Raises:
        ToolFailedError: an entry of `allowed_networks` is no network.
    """
    try:
        return installation.with_settings(settings)
    except ValueError as error:
        raise ToolFailedError(f"The tool's setting allowed_networks is wrong: {error}") from None
