"""Authenticating to Zabbix: by token or by password, in the header of new versions and the body of old ones."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, cast

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.credentials import Credentials
from akmatori_server.toolbox.models import ToolFailedError
from akmatori_server.tools.redaction import without_secrets

Ask: TypeAlias = Callable[[JSON], Awaitable[JSON]]
"""Sends a call without credentials, and returns the answer."""

# Since then the header is understood; the member `auth` was dropped later.
HEADER_SINCE = (6, 4)
# Since then the user's name is called username.
USERNAME_SINCE = (5, 4)


async def log_in(settings: Mapping[str, Any], ask: Ask) -> Credentials:
    """Return what calls authenticate with.

    Raises:
        ToolFailedError: the settings are not complete, or Zabbix refuses them.
    """
    version = _version(await _called(ask, "apiinfo.version", []))
    if settings["auth_method"] == "token":
        token = _needed(settings, "zabbix_token")
    else:
        user = "username" if version >= USERNAME_SINCE else "user"
        login: JSON = {
            user: _needed(settings, "zabbix_username"),
            "password": _needed(settings, "zabbix_password"),
        }
        token = str(await _called(ask, "user.login", login))
    if version >= HEADER_SINCE:
        return Credentials(headers={"Authorization": f"Bearer {token}"}, secrets=(token,))
    return Credentials(body={"auth": token}, secrets=(token,))


async def _called(ask: Ask, method: str, params: JSON) -> JSON:
    answer = await ask({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    members = answer if isinstance(answer, dict) else {}
    if "result" in members:
        return members["result"]
    error = members.get("error")
    if isinstance(params, dict) and isinstance(error, dict):
        said = str(error.get("data") or error.get("message") or "")[:300]
        said = without_secrets(said, [str(params["password"])])
        hint = "heck zabbix_username and zabbix_password in the tool's settings."
        raise ToolFailedError(
            f"Zabbix refused the login: {said} C{hint}", setup=f"Zabbix refused the login; c{hint}"
        )
    raise ToolFailedError("The answer is not one of the Zabbix API; check zabbix_url in the tool's settings.")


def _needed(settings: Mapping[str, Any], name: str) -> str:
    value = settings.get(name)
    if not value:
        raise ToolFailedError(f"{name} is not set in the tool's settings.")
    return cast("str", value).strip()


def _version(answer: JSON) -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", str(answer))
    if match is None:
        raise ToolFailedError("Zabbix did not tell its version; check zabbix_url in the tool's settings.")
    return int(match[1]), int(match[2])
