"""The kinds of tools that are HTTP APIs: one declarative form for all of them, in the catalogue of tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from akmatori_server.kits.http_api.form import load_form
from akmatori_server.kits.http_api.kit import HttpKit
from akmatori_server.outgoing.policy import PUBLIC_ONLY, Policy
from akmatori_server.settings.proxy import ProxyService
from akmatori_server.settings.route import Route
from akmatori_server.toolbox.kit import Kit
from akmatori_server.tools.builtin import NAMES

__all__ = ["HttpKit", "http_kits"]


def http_kits(route: Callable[[ProxyService], Route], *, policy: Policy = PUBLIC_ONLY) -> Mapping[str, Kit]:
    """Return the kits by the names of their types.

    Args:
        route: tells the proxies of a service, as the settings' service does.
        policy: where every tool may go; each one's settings may name more.

    Raises:
        FormError: a form in the catalogue contradicts itself.
    """
    forms = {name: load_form(name) for name in NAMES}
    return {
        name: HttpKit(form, route=route(ProxyService(form.proxy)), policy=policy)
        for name, form in forms.items()
        if form is not None
    }
