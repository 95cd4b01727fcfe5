"""What is given to the server in confidence is never shown again: not by it, not in its logs, not on its disk.

Secrets are planted through every input that takes one. Then everything the server says and writes is searched
for them: every GET operation there is, the errors of bad requests, the logs, the database and the data directory.
"""

from __future__ import annotations

import io
import itertools
import json
import logging
import re
import secrets
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import httpx
import jwt
import pytest
import sqlalchemy as sa
import structlog

from akmatori_server._generated.akmatori.bindings import OPERATIONS
from akmatori_server.database import Database
from akmatori_server.http.pending import PENDING
from akmatori_server.logs import configure_logs
from akmatori_server.tools.builtin import builtin_types
from akmatori_server.tools.definition import secret_settings
from tests.server.tools import key_texts
from tests.support.databases import KINDS, copied_database
from tests.support.site import Site, running_site

FEWEST_SECRETS = 50
FEWEST_READ = 38
SAMPLES = {"web-address": "https://tool.example.net"}
CONNECTORS: Mapping[str, Mapping[str, str]] = {
    "bearer": {"method": "bearer_token", "token_field": "their_token"},
    "basic": {"method": "basic_auth"},
    "keyed": {"method": "api_key", "token_field": "their_key", "header_name": "X-Key"},
}


@attrs.define
class Planting:
    """Plants secrets, remembers them, and keeps whatever the server answered to requests that carried them."""

    client: httpx.Client
    planted: dict[str, str] = attrs.field(factory=dict[str, str])
    # Those of which a mask with the last four characters must be shown.
    masked: set[str] = attrs.field(factory=set[str])
    answers: list[str] = attrs.field(factory=list[str])
    _numbers: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))

    def secret(self, name: str, *, is_masked: bool = True) -> str:
        """Make a secret up."""
        text = f"hidden-{secrets.token_hex(12)}"
        self.planted[name] = text
        if is_masked:
            self.masked.add(name)
        return text

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Send a body that must be accepted, and before it bad ones with the same secrets."""
        for bad in _spoilt(body):
            refused = self.client.request(method, path, json=bad)
            assert refused.status_code >= 400, (path, refused.text)
            self.answers.append(refused.text)
        keyed = {"Idempotency-Key": f"planted-{next(self._numbers)}"} if method == "POST" else {}
        accepted = self.client.request(method, path, json=body, headers=keyed)
        assert accepted.status_code in {200, 201}, (path, accepted.text)
        self.answers.append(accepted.text)
        return accepted.json()


def _spoilt(body: Mapping[str, Any]) -> Iterator[Any]:
    """Return the body with what no operation accepts: a strange member, every text as a list, no object at all."""
    yield {**body, "no_such_member": list(body.values())}
    yield {name: [value] if isinstance(value, str) else value for name, value in body.items()} | {
        "enabled": "?"
    }
    yield [body]


def _alert_sources(planting: Planting) -> None:
    for kind in planting.client.get("/api/alert-source-types").json():
        name = f"alert source {kind['name']}"
        body = {
            "source_type_name": kind["name"],
            "name": name,
            "webhook_secret": planting.secret(f"{name}, first", is_masked=False),
            "settings": {"slack_channel_id": "C1"} if kind["name"] == "slack_channel" else {},
            "field_mappings": {"alert_name": "title"},
        }
        made = planting.send("POST", "/api/alert-sources", body)
        wrong = {"Authorization": f"Bearer {planting.planted[f'{name}, first']}!"}
        planting.answers.append(
            planting.client.post(f"/webhook/alert/{made['uuid']}", json={}, headers=wrong).text
        )
        change = {"webhook_secret": planting.secret(name)}
        planting.send("PUT", f"/api/alert-sources/{made['uuid']}", change)


def _tools(planting: Planting) -> None:
    ids = {kind["name"]: kind["id"] for kind in planting.client.get("/api/tool-types").json()}
    for kind in builtin_types():
        properties: Mapping[str, Mapping[str, Any]] = kind.settings["properties"]
        settings = {
            name: SAMPLES.get(properties[name].get("format", ""), "name")
            for name in kind.settings.get("required", ())
        }
        settings |= {name: planting.secret(f"{kind.name}.{name}") for name in secret_settings(kind.settings)}
        body = {"tool_type_id": ids[kind.name], "name": f"Tool {kind.name}", "settings": settings}
        made = planting.send("POST", "/api/tools", body)
        if kind.name == "ssh":
            for form in (key_texts.openssh, key_texts.pkcs1, key_texts.pkcs8):
                name = f"ssh key {form.__name__}"
                planting.planted[name] = form()
                key = {"name": name, "private_key": planting.planted[name]}
                planting.send("POST", f"/api/tools/{made['id']}/ssh-keys", key)


def _connectors(planting: Planting) -> None:
    for name, auth in CONNECTORS.items():
        body = {
            "tool_type_name": name,
            "base_url_field": "base_url",
            "auth_config": auth,
            "tools": {"tools": [{"name": "get", "http_method": "GET", "path": "/x"}]},
        }
        connector = planting.send("POST", "/api/http-connectors", body)
        login = {"username": "ann"} if name == "basic" else {}
        field = auth.get("token_field", "password")
        settings = {
            "base_url": "http://169.254.169.254",
            field: planting.secret(f"connector {name}"),
            **login,
        }
        kinds = planting.client.get("/api/tool-types").json()
        kind = next(one["id"] for one in kinds if one["name"] == name)
        tool = {"tool_type_id": kind, "name": f"Tool of {name}", "settings": settings}
        made = planting.send("POST", "/api/tools", tool)
        call = {"tool_instance_id": made["id"], "tool": "get"}
        planting.send("POST", f"/api/http-connectors/{connector['id']}/test", call)


def _mcp_servers(planting: Planting) -> None:
    variables = {f"VARIABLE_{n}": planting.secret(f"mcp variable {n}") for n in range(6)}
    program = {"name": "p", "transport": "stdio", "command": "/not/there", "namespace_prefix": "p"}
    made = planting.send("POST", "/api/mcp-servers", {**program, "env_vars": variables})
    planting.answers.append(planting.client.post(f"/api/mcp-servers/{made['id']}/test").text)
    for number, auth in enumerate(
        (
            {"method": "bearer_token", "token": planting.secret("mcp bearer")},
            {"method": "basic_auth", "username": "ann", "password": planting.secret("mcp basic")},
            {"method": "api_key", "token": planting.secret("mcp key")},
            {"headers": {"X-One": planting.secret("mcp header 1"), "X-Two": planting.secret("mcp header 2")}},
        )
    ):
        body = {
            "name": f"s{number}",
            "transport": "sse",
            "url": "http://127.0.0.1:1/mcp",
            "namespace_prefix": f"s{number}",
            "auth_config": auth,
        }
        made = planting.send("POST", "/api/mcp-servers", body)
        planting.answers.append(planting.client.post(f"/api/mcp-servers/{made['id']}/test").text)


def _settings(planting: Planting) -> None:
    for config in planting.client.get("/api/settings/llm").json()["configs"]:
        key = {"api_key": planting.secret(f"llm {config['name']}")}
        planting.send("PUT", f"/api/settings/llm/{config['id']}", key)
    for number in range(2):
        name = f"llm added {number}"
        body = {"provider": "openai", "name": name, "api_key": planting.secret(name)}
        planting.send("POST", "/api/settings/llm", body)
    slack = {name: planting.secret(f"slack {name}") for name in ("bot_token", "signing_secret", "app_token")}
    planting.send("PUT", "/api/settings/slack", slack)
    password = planting.secret("proxy", is_masked=False)
    url = f"http://ann:{password}@127.0.0.1:1"
    shown = planting.send("PUT", "/api/settings/proxy", {"proxy_url": url, "no_proxy": "*"})
    assert shown["proxy_url"] == url.replace(password, "%2A%2A%2A%2A")


def _api_keys(planting: Planting, site: Site) -> None:
    for scope in ("read", "write", "admin"):
        made = planting.client.post("/api/settings/api-keys", json={"name": scope, "scope": scope}).json()
        planting.planted[f"api key {scope}"] = made["key"]
        planting.masked.add(f"api key {scope}")
        with site.client(made["key"]) as owner:
            assert owner.get("/api/incidents").status_code == 200
        with site.client(f"{made['key']}!") as stranger:
            planting.answers.append(stranger.get("/api/incidents").text)


def _content(planting: Planting) -> None:
    """Things without secrets, so that every list has something in it."""
    client = planting.client
    planting.send("POST", "/api/runbooks", {"title": "Disk", "content": "Look."})
    planting.send("POST", "/api/skills", {"name": "notes", "prompt": "Look first."})
    planting.send("PUT", "/api/skills/notes/scripts/look.sh", {"content": "df -h"})
    planting.send("POST", "/api/incidents", {"task": "Why is db-1 slow?"})
    uploaded = client.post("/api/context", files={"file": ("notes.md", b"text", "text/markdown")}).json()
    token = client.headers["Authorization"].removeprefix("Bearer ")
    url = f"{client.base_url}/api/context/{uploaded['id']}/download"
    assert httpx.get(url, params={"token": token}).status_code == 200


@contextmanager
def written_logs() -> Generator[io.StringIO]:
    """Have the logs of the process written as the server writes them, at the level that tells most."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = list(root.handlers), root.level
    configure_logs("debug", stream)
    try:
        yield stream
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.reset_defaults()


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_is_ever_seen_again(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Fifty and more of them, each really taken."""
    password, signing = f"hidden-{secrets.token_hex(8)}", f"hidden-{secrets.token_hex(20)}"
    with (
        written_logs() as logs,
        copied_database(kind, tmp_path, request) as url,
        running_site(url, tmp_path, admin_password=None, jwt_secret=signing) as site,
    ):
        token = _set_up(site, password)
        jwt.decode(token, signing, algorithms=["HS256"], options={"verify_aud": False})
        with site.client(token) as client:
            planting = Planting(client, {"password": password, "signing": signing, "token": token})
            for plant in (_alert_sources, _tools, _connectors, _mcp_servers, _settings, _content):
                plant(planting)
            _api_keys(planting, site)
            read = Reading(client)
            said = read.everything()
        _assert_taken(planting, site, said)
        assert len(read.operations) >= FEWEST_READ, sorted(read.operations)
        stored = _database(site.installation.database, tmp_path)
        found = [
            f"{name}: in {where}"
            for where, text in (
                *said.items(),
                *((f"answer {answer[:200]}", answer) for answer in planting.answers),
                ("the logs", logs.getvalue()),
                *stored.items(),
            )
            for name, secret in planting.planted.items()
            if any(piece in text for piece in _pieces(secret))
        ]

    assert "updateProxySettings" in logs.getvalue()
    assert "runbooks" in "".join(stored.values())
    assert not found


def _set_up(site: Site, password: str) -> str:
    """Choose the password, and log in with it."""
    with site.client() as client:
        choice = {"password": password, "confirm_password": password}
        for bad in ({**choice, "confirm_password": f"{password}!"}, {**choice, "more": password}):
            refused = client.post("/auth/setup", json=bad)
            assert refused.status_code >= 400
            assert password not in refused.text
        client.post("/auth/setup", json=choice).raise_for_status()
        wrong = client.post("/auth/login", json={"username": password, "password": f"{password}!"})
        assert wrong.status_code == 401
        assert password not in wrong.text
        answer = client.post("/auth/login", json={"username": "admin", "password": password})
    return str(answer.json()["token"])


def _assert_taken(planting: Planting, site: Site, said: Mapping[str, str]) -> None:
    """Each is where it belongs: its mask is shown, or it opens what it is for."""
    assert len(planting.planted) == len(set(planting.planted.values())) >= FEWEST_SECRETS
    everything = "\n".join(said.values())
    unseen = [name for name in planting.masked if f"****{planting.planted[name][-4:]}" not in everything]
    assert not unseen
    from akmatori_server.audit import AuditTrail
    from akmatori_server.tools.service import ToolService

    place = site.installation
    tools = ToolService(
        place.database, place.secrets, AuditTrail(place.database, now=place.now), now=place.now
    )
    ssh = next(one for one in json.loads(said["/api/tools"]) if one["tool_type"]["name"] == "ssh")
    kept = {text.strip() for text in tools.opened(ssh["id"]).private_keys.values()}
    assert kept == {text.strip() for name, text in planting.planted.items() if name.startswith("ssh key")}


@attrs.define
class Reading:
    """Reads everything that can be read."""

    client: httpx.Client
    operations: set[str] = attrs.field(factory=set[str])
    _said: dict[str, str] = attrs.field(factory=dict[str, str])

    def everything(self) -> dict[str, str]:
        """Return the answers of every GET operation, by path; the lists tell what there is to read."""
        for one in OPERATIONS:
            is_stream = one.media_type == "text/event-stream"
            if one.method == "GET" and not is_stream and one.id not in PENDING["akmatori"]:
                for path in self._paths(one.path):
                    self._get(path)
                    self.operations.add(one.id)
        trail = "/api/audit?per_page=200&page="
        for page in range(json.loads(self._get(f"{trail}1"))["pagination"]["total_pages"]):
            self._get(f"{trail}{page + 1}")
        return self._said

    def _paths(self, path: str) -> Iterable[str]:
        """Return the path with its parameters filled in by what the list above it names."""
        above, brace, rest = path.partition("/{")
        if not brace:
            return [path]
        name, _, below = rest.partition("}")
        return [
            filled
            for value in _named(json.loads(self._get(above)), name)
            for filled in self._paths(f"{above}/{quote(value, safe='')}{below}")
        ]

    def _get(self, path: str) -> str:
        if path not in self._said:
            self._said[path] = self.client.get(path).text
        return self._said[path]


def _named(value: object, name: str) -> set[str]:
    """Find the values of a member anywhere in an answer; a list of texts is a list of names."""
    if isinstance(value, dict):
        found = {str(value[name])} if isinstance(value.get(name), str | int) else set[str]()
        return found.union(*(_named(member, name) for member in value.values()))
    if isinstance(value, list):
        texts = {item for item in value if isinstance(item, str)}
        return texts.union(*(_named(item, name) for item in value if not isinstance(item, str)))
    return set()


def _database(database: Database, directory: Path) -> dict[str, str]:
    """Return everything that is stored: each file of the data directory, and each row of a database server."""
    stored = {
        str(path.relative_to(directory)): path.read_bytes().decode("latin-1")
        for path in directory.rglob("*")
        if path.is_file()
    }
    if not database.is_sqlite:
        with database.read() as connection:
            for schema in sa.inspect(connection).get_schema_names():
                for table in sa.inspect(connection).get_table_names(schema=schema):
                    rows = connection.execute(sa.text(f'SELECT t::text FROM "{schema}"."{table}" AS t'))  # noqa: S608  names of its own
                    stored[f"table {schema}.{table}"] = "\n".join([f"{table}", *rows.scalars()])
    return stored


def _pieces(secret: str) -> list[str]:
    """What would give the secret away: itself, as a URL or JSON has it, or a line of a key's body."""
    if secret.startswith("-----BEGIN"):
        return [line for line in secret.splitlines()[2:] if re.fullmatch(r"[A-Za-z0-9+/=]{20,}", line)]
    return [secret]
