"""The hand-written baseline: Starlette, orjson and the same SQL, without contract, login or validation."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from akmatori_server.database import Database
from akmatori_server.incidents.log import read_log
from akmatori_server.incidents.tables import incidents

database = Database.open(f"sqlite:///{os.environ['BASELINE_DB']}")
HIDDEN = {"fence"}
COLUMNS = [column for column in incidents.c if column.name not in HIDDEN]
NAMES = [str(column.name) for column in COLUMNS]
NEWEST_FIRST = sa.select(*COLUMNS).order_by(incidents.c.created_at.desc(), incidents.c.id.desc())


def answer(body: Any, status: int = 200) -> Response:
    """Answer JSON."""
    return Response(orjson.dumps(body, option=orjson.OPT_UTC_Z), status, media_type="application/json")


def page(number: int, size: int) -> dict[str, Any]:
    """Read one page and the total."""
    with database.read() as connection:
        total = connection.execute(sa.select(sa.func.count()).select_from(incidents)).scalar_one()
        rows = connection.execute(NEWEST_FIRST.offset((number - 1) * size).limit(size))
        data = [dict(zip(NAMES, row, strict=True)) | {"full_log": ""} for row in rows]
    pages = -(-total // size)
    return {
        "data": data,
        "pagination": {"page": number, "per_page": size, "total": total, "total_pages": pages},
    }


def one(identifier: str) -> dict[str, Any]:
    """Read one incident with its log."""
    with database.read() as connection:
        row = connection.execute(sa.select(*COLUMNS).where(incidents.c.uuid == identifier)).one()
        shown = dict(zip(NAMES, row, strict=True))
        return shown | {"full_log": read_log(connection, shown["id"])}


def create(task: str, context: dict[str, Any]) -> dict[str, Any]:
    """Insert one incident."""
    now, identifier = datetime.now(UTC), str(uuid.uuid4())
    values = {
        "uuid": identifier,
        "source": "api",
        "source_id": identifier,
        "title": task,
        "status": "pending",
    }
    moments = {"started_at": now, "created_at": now, "updated_at": now}
    with database.write() as connection:
        connection.execute(
            incidents.insert().values(**values, **moments, context=context, working_dir="/nowhere", fence=0)
        )
    return {"uuid": identifier, "status": "pending", "working_dir": "/nowhere", "message": "stored"}


async def collection(request: Request) -> Response:
    """List, or create."""
    if request.method == "POST":
        body = orjson.loads(await request.body())
        return answer(await run_in_threadpool(create, body["task"], body["context"]), 201)
    query = request.query_params
    return answer(await run_in_threadpool(page, int(query.get("page", 1)), int(query.get("per_page", 50))))


async def item(request: Request) -> Response:
    """Read one."""
    return answer(await run_in_threadpool(one, request.path_params["identifier"]))


app = Starlette(
    routes=[
        Route("/api/incidents", collection, methods=["GET", "POST"]),
        Route("/api/incidents/{identifier}", item),
    ]
)
