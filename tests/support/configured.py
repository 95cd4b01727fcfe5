"""Skills, context files and runbooks on disk, put together as the server does, with or without HTTP."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import orjson

from akmatori_sdk._generated.akmatori import models
from akmatori_server._generated.akmatori import bindings, stubs
from akmatori_server.audit import AuditTrail
from akmatori_server.context_files.handlers import ContextHandlers
from akmatori_server.context_files.service import LARGEST_TOTAL, ContextFileService
from akmatori_server.database import Database
from akmatori_server.docs.handlers import read_specification
from akmatori_server.files import SafeDirectory
from akmatori_server.http.application import build_application
from akmatori_server.http.call import Call, Caller, Pending, Scope
from akmatori_server.http.failures import render_akmatori
from akmatori_server.http.security import Requested
from akmatori_server.http.system import System
from akmatori_server.skills.handlers import SkillHandlers
from akmatori_server.skills.scripts import ScriptService
from akmatori_server.skills.service import SkillService
from akmatori_server.skills.sync import SkillSync
from akmatori_server.skills.views import SkillViews
from akmatori_server.skills.workspace import SkillWorkspace
from tests.contract.exchanges import EXCHANGES
from tests.support.running import serve

START = datetime(2026, 5, 15, 10, 0, tzinfo=UTC)
TOKEN = "everything"


@attrs.define
class Clock:
    """A clock that goes on by a second whenever it is read."""

    now: datetime = START

    def __call__(self) -> datetime:
        """Return the present moment."""
        self.now += timedelta(seconds=1)
        return self.now


class SomeTools:
    """The tools 1 and 2 exist in the database, and are shown so."""

    def shown(self, connection: Any, tool_ids: Any) -> dict[int, models.Tool]:
        """Return those of the tools that exist."""
        del connection
        return {number: tool(number) for number in sorted(tool_ids) if number in {1, 2}}


def tool(number: int) -> models.Tool:
    """A tool with a masked secret."""
    return models.Tool(
        id=number,
        tool_type_id=1,
        name=f"Tool {number}",
        logical_name=f"tool-{number}",
        settings={"token": "****cret"},
        enabled=True,
        created_at=START,
        updated_at=START,
        tool_type=models.ToolType(
            id=1, name="ssh", description="", schema=None, created_at=START, updated_at=START
        ),
    )


@attrs.frozen
class Configured:
    """The services on one database and one data directory."""

    database: Database
    data: Path
    audit: AuditTrail
    skills: SkillService
    scripts: ScriptService
    sync: SkillSync
    files: ContextFileService
    clock: Clock

    @property
    def skills_dir(self) -> Path:
        """Where the skills are."""
        return self.data / "skills"

    @property
    def context_dir(self) -> Path:
        """Where the context files are."""
        return self.data / "context"


def configured(database: Database, data: Path, *, quota_bytes: int = LARGEST_TOTAL) -> Configured:
    """Put the services together, as a starting server does."""
    data.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    audit = AuditTrail(database, now=clock)
    workspace = SkillWorkspace(database, SafeDirectory(data / "skills"))
    skills = SkillService(workspace, SkillViews(workspace, SomeTools()), audit=audit, now=clock)
    skills.seed_system_skills()
    files = ContextFileService(
        database,
        SafeDirectory(data / "context"),
        audit=audit,
        prompts=skills,
        now=clock,
        quota_bytes=quota_bytes,
    )
    return Configured(
        database=database,
        data=data,
        audit=audit,
        skills=skills,
        scripts=ScriptService(workspace, audit=audit, now=clock),
        sync=SkillSync(workspace, audit=audit, now=clock),
        files=files,
        clock=clock,
    )


def call() -> Call:
    """One request of an authenticated caller."""
    return Call(
        caller=Caller(kind="user", name="admin", scope=Scope.ADMIN),
        request_id="req-1",
        headers={},
        remote="127.0.0.1",
        base_url="https://akmatori.example.net",
    )


class _Everybody:
    async def authenticate(self, credential: str, _requested: Requested, /) -> Caller | None:
        return Caller(kind="user", name="admin", scope=Scope.ADMIN) if credential == TOKEN else None


def _observe(*, operation: str, method: str, status: int, seconds: float) -> None:
    del operation, method, status, seconds


@contextmanager
def running(services: Configured) -> Generator[str]:
    """Serve skills and context files; yield the base URL."""
    handlers: dict[str, Any] = {field.name: Pending() for field in attrs.fields(stubs.Handlers)}
    handlers["skills"] = SkillHandlers(services.skills, services.scripts, services.sync)
    handlers["context"] = ContextHandlers(services.files)
    system = System(
        name="akmatori",
        document=orjson.loads(read_specification("akmatori", "openapi.json")),
        bindings=bindings.OPERATIONS,
        handlers=stubs.Handlers(**handlers),
        pending=frozenset(b.id for b in bindings.OPERATIONS if b.tag not in {"skills", "context"}),
        render_error=render_akmatori,
    )
    app = build_application(
        [system],
        authenticator=_Everybody(),
        setup_required=lambda: False,
        observe=_observe,
        check_responses=True,
        spool_directory=services.data,
    )
    with serve(app) as base_url:
        EXCHANGES.watch(base_url)
        yield base_url
