"""What the chaos of investigations is made of: a scripted model, an API it reads and writes, and a bookkeeping."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import attrs
import httpx

from tests.support.llm import Answer, Ask, Received, Say, ScriptedModel, scripted
from tests.support.origin import Asked, Origin, Reply, running_origin

CASE = re.compile(r"case-\d+")
# Long enough to be killed in.
LOOKING_SECONDS = 0.25
PARALLEL = 3


@attrs.define
class Ward:
    """The world around the servers; it outlives them."""

    model: ScriptedModel
    api: Origin
    looked: Counter[str] = attrs.field(factory=Counter[str])
    changed: Counter[str] = attrs.field(factory=Counter[str])

    def set_up(self, client: httpx.Client) -> None:
        """Configure the model, a connector with a call that reads and one that writes, and a skill that has it."""
        llm = {
            "provider": "custom",
            "api_key": "sk-scripted-1",
            "model": "scripted-1",
            "base_url": self.model.base_url("custom"),
        }
        client.put("/api/settings/llm", json=llm).raise_for_status()
        connector = {
            "tool_type_name": "ward",
            "description": "Looks and restarts.",
            "base_url_field": "url",
            "tools": {
                "tools": [
                    _call("look", "GET", "/look/{{case}}/{{part}}", ["case", "part"]),
                    {**_call("restart", "POST", "/restart/{{case}}", ["case"]), "read_only": False},
                ]
            },
        }
        client.post("/api/http-connectors", json=connector).raise_for_status()
        types = client.get("/api/tool-types").raise_for_status().json()
        tool = {
            "tool_type_id": next(one["id"] for one in types if one["name"] == "ward"),
            "name": "ward",
            "settings": {"url": self.api.url, "allow_private": True, "allow_writes": True},
        }
        tool_id = client.post("/api/tools", json=tool).raise_for_status().json()["id"]
        skill = {"name": "ward-round", "description": "Looks after cases.", "prompt": "Look, then restart."}
        client.post("/api/skills", json=skill).raise_for_status()
        client.put("/api/skills/ward-round/tools", json={"tool_instance_ids": [tool_id]}).raise_for_status()


@contextmanager
def ward() -> Generator[Ward]:
    """Serve the model and the API."""
    holder: list[Ward] = []

    def reply(asked: Asked) -> Reply:
        _, what, case, *_ = asked.path.split("/")
        if what == "look":
            holder[0].looked[asked.path] += 1
            time.sleep(LOOKING_SECONDS)
            return Reply({"case": case, "load": 0.5})
        holder[0].changed[case] += 1
        return Reply({"restarted": case})

    with scripted(script=_answer) as model, running_origin(reply) as api:
        holder.append(Ward(model, api))
        yield holder[0]


def _answer(request: Received) -> Answer:
    found = CASE.search(request.text)
    assert found is not None
    case = found[0]
    if request.turn == 0:
        looks = tuple(Ask("ward__look", {"case": case, "part": str(part)}) for part in range(PARALLEL))
        return Say(thinking="I look at all parts.", calls=looks)
    if request.turn == 1:
        return Say(
            text="One more look, and then a restart.",
            calls=(Ask("ward__look", {"case": case, "part": "last"}), Ask("ward__restart", {"case": case})),
        )
    return Say(
        text=f"## Summary\n\n{case} is well.\n\n## Confidence\n\nHigh, since all parts were looked at."
    )


def _call(name: str, method: str, path: str, parameters: list[str]) -> dict[str, Any]:
    params = [{"name": one, "type": "string", "required": True, "in": "path"} for one in parameters]
    return {"name": name, "http_method": method, "path": path, "params": params}


class Approver:
    """Approves every proposal it sees, by whichever server answers, until it is told to stop."""

    def __init__(self, addresses: list[str], token: str) -> None:
        self._addresses = addresses
        self._headers = {"Authorization": f"Bearer {token}"}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Approver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(0.3):
            for address in self._addresses:
                try:
                    self._approve(address)
                except httpx.HTTPError:
                    # Its server is dead at the moment.
                    continue

    def _approve(self, address: str) -> None:
        with httpx.Client(base_url=address, headers=self._headers, timeout=10) as client:
            query = {"state": "pending", "per_page": 200}
            for one in client.get("/api/proposals", params=query).raise_for_status().json()["data"]:
                client.post(f"/api/proposals/{one['uuid']}/approve", json={"digest": one["digest"]})
