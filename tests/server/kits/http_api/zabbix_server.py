"""A Zabbix API in small: versions, logins that end, and which form of credentials it takes."""

from __future__ import annotations

from typing import Any

import attrs

from tests.support.origin import Asked, Reply

PASSWORD = "zabb1x-p@ss"


@attrs.define
class Zabbix:
    """One server. It refuses the form of credentials that its version does not know."""

    version: str = "7.4.0"
    token: str = ""
    # Sessions that are valid; every login makes one.
    sessions: list[str] = attrs.field(factory=list[str])
    methods: list[str] = attrs.field(factory=list[str])
    results: dict[str, Any] = attrs.field(factory=dict[str, Any])

    def reply(self, asked: Asked) -> Reply:
        """Answer a call, or a batch of them."""
        calls = asked.json
        if isinstance(calls, list):
            return Reply([self._answer(asked, one) for one in calls])
        return Reply(self._answer(asked, calls))

    def _answer(self, asked: Asked, call: dict[str, Any]) -> dict[str, Any]:
        method, params = call["method"], call["params"]
        self.methods.append(method)
        if method == "apiinfo.version":
            return {"id": call["id"], "result": self.version}
        is_new = tuple(int(part) for part in self.version.split(".")[:2]) >= (6, 4)
        if method == "user.login":
            name = "username" if not self.version.startswith("5.0") else "user"
            if params != {name: "ann", "password": PASSWORD}:
                return _error(call, f"Incorrect user name or password: {params}")
            self.sessions.append(f"session-{len(self.methods)}")
            return {"id": call["id"], "result": self.sessions[-1]}
        if is_new and "auth" in call:
            return _error(call, 'Invalid parameter "/": unexpected parameter "auth".')
        credential = (
            asked.headers.get("authorization", "").removeprefix("Bearer ") if is_new else call.get("auth", "")
        )
        if credential != self.token and credential not in self.sessions:
            return _error(call, "Session terminated, re-login, please.")
        return {"id": call["id"], "result": self.results.get(method, [])}


def _error(call: dict[str, Any], data: str) -> dict[str, Any]:
    return {"id": call["id"], "error": {"code": -32602, "message": "Invalid params.", "data": data}}
