"""Never executed: mypy and pyright, both strict, check that the SDK's types are what they should be."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import assert_type

from akmatori_sdk import (
    UNSET,
    Akmatori,
    AkmatoriError,
    Aotanami,
    AsyncAkmatori,
    AsyncAotanami,
    AsyncEventStream,
    AsyncPager,
    AsyncTail,
    CallOptions,
    Delivery,
    EventStream,
    NotFoundError,
    Page,
    Pager,
    PageRef,
    Response,
    RetryPolicy,
    Sent,
    StatusError,
    Tail,
    Timeout,
    TransportError,
    Unset,
    Upload,
    WaitTimeoutError,
)
from akmatori_sdk.akmatori import Event, EventKind, Incident, IncidentStatus, Skill
from akmatori_sdk.aotanami import Incident as ClusterIncident


def clients() -> None:
    client = Akmatori("https://a", api_key="k", timeout=5, retry=RetryPolicy(max_retries=1))
    assert_type(client, Akmatori)
    assert_type(client.with_options(timeout=Timeout.unlimited()), Akmatori)
    with Aotanami(token="t") as other:
        assert_type(other, Aotanami)
        assert_type(other.incidents.list(), Pager[ClusterIncident])


def streams(client: Akmatori) -> None:
    with client.events.stream(incident="u", kind=EventKind.INCIDENT_OPENED) as events:
        assert_type(events, EventStream[Event])
        for event in events:
            assert_type(event, Event)
            assert_type(event.kind, EventKind)
            assert_type(event.incident_uuid, str | None)
            assert_type(event.data.title, str | Unset)
        assert_type(events.last_event_id, str | None)
    with client.incidents.tail("u", timeout=5) as tail:
        assert_type(tail, Tail)
        assert_type(next(tail), str)
        assert_type(tail.incident, Incident | None)


async def async_streams(client: AsyncAkmatori) -> None:
    async with client.events.stream(kind="incident.opened") as events:
        assert_type(events, AsyncEventStream[Event])
        async for event in events:
            assert_type(event, Event)
    assert_type(client.incidents.tail("u"), AsyncTail)
    assert_type([piece async for piece in client.incidents.tail("u")], list[str])


def calls(client: Akmatori) -> None:
    incident = client.incidents.get("u", options=CallOptions(deadline=3))
    assert_type(incident, Incident)
    assert_type(incident.status, IncidentStatus)
    assert_type(incident.created_at, datetime)
    assert_type(incident.completed_at, datetime | Unset)
    if incident.completed_at is not UNSET:
        assert_type(incident.completed_at, datetime)
    assert_type(client.incidents.wait("u", timeout=5, on_log=print), Incident)
    assert_type(client.incidents.create_and_wait(task="x", context={"a": 1}), Incident)
    assert_type(client.skills.get("s"), Skill)
    assert_type(client.request("GET", "/x", query={"a": 1}), Response)
    client.context.upload(file=Upload(Path("a")), filename="a")


def lists(client: Akmatori) -> None:
    pager = client.incidents.list(page_size=10, max_items=100)
    assert_type(pager, Pager[Incident])
    for incident in pager:
        assert_type(incident, Incident)
    for page in pager.pages():
        assert_type(page, Page[Incident])
        assert_type(page.next, PageRef | None)
    assert_type(pager.first(), Incident | None)
    assert_type(pager.collect(5), list[Incident])
    assert_type(pager.limit(max_pages=2), Pager[Incident])
    if pager.position is not None:
        assert_type(pager.resume(pager.position), Pager[Incident])


async def async_calls() -> None:
    async with AsyncAkmatori() as client, AsyncAotanami() as other:
        assert_type(client, AsyncAkmatori)
        assert_type(await client.incidents.get("u"), Incident)
        assert_type(await client.incidents.wait("u", on_log=print), Incident)
        assert_type(client.incidents.list(), AsyncPager[Incident])
        async for incident in client.incidents.list():
            assert_type(incident, Incident)
        assert_type(await client.incidents.list().collect(5), list[Incident])
        assert_type(other.incidents.list(), AsyncPager[ClusterIncident])
        assert_type(await client.request("GET", "/x"), Response)


def errors(client: Akmatori) -> None:
    try:
        client.incidents.get("u")
    except NotFoundError as error:
        assert_type(error.status, int)
        assert_type(error.code, str | None)
    except StatusError as error:
        assert_type(error.body, str)
    except TransportError as error:
        assert_type(error.delivery, Delivery)
    except WaitTimeoutError as error:
        assert_type(error.last, object)
    except AkmatoriError as error:
        assert_type(error.request, Sent | None)
        assert_type(error.attempts, int)
        assert_type(error.as_curl(), str)
