"""Both ends of the contract at once: the SDK, sync and async, against the real server."""

from __future__ import annotations

import json
from collections.abc import Generator

import pytest

from akmatori_sdk import (
    Akmatori,
    AsyncAkmatori,
    BadRequestError,
    CallOptions,
    ConflictError,
    NotFoundError,
    UnauthorizedError,
)
from tests.support.site import ON_SQLITE_ALONE, PASSWORD, Site

pytestmark = ON_SQLITE_ALONE

ALERT = {
    "version": "4",
    "groupKey": '{}:{alertname="HostDown"}',
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "HostDown", "severity": "critical", "instance": "web-1:9100"},
            "annotations": {"summary": "web-1 does not answer"},
            "startsAt": "2026-04-20T07:12:30.115Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.net/graph",
            "fingerprint": "9f1c2b7a44e0d5aa",
        }
    ],
}


@pytest.fixture
def client(server: Site) -> Generator[Akmatori]:
    """The administrator, logging in by name and password as the SDK does it."""
    with Akmatori(base_url=server.base_url, username="admin", password=PASSWORD) as made:
        yield made


def test_runbooks_from_create_to_delete(client: Akmatori) -> None:
    """What was written is read back, a partial answer names what is wrong, and what is gone is gone."""
    made = client.runbooks.create(title="Disk full", content="1. Look.\n2. Clean.")
    changed = client.runbooks.update(made.id, title="Disk is full", content=made.content)

    assert client.runbooks.get(made.id) == changed
    assert changed.id in {runbook.id for runbook in client.runbooks.list(page_size=1)}
    with pytest.raises(BadRequestError, match="title"):
        client.runbooks.create(title="  ", content="x")
    client.runbooks.delete(made.id)
    with pytest.raises(NotFoundError):
        client.runbooks.get(made.id)


def test_an_alert_is_followed_to_its_report(client: Akmatori) -> None:
    """A delivery becomes one incident, whose wait ends with a report."""
    source = client.alert_sources.create(
        source_type_name="alertmanager", name="prod", webhook_secret="s3cret-s3cret"
    )
    with pytest.raises(UnauthorizedError):
        client.webhooks.receive(source.uuid, body=json.dumps(ALERT).encode())

    secret = CallOptions(headers={"X-Alertmanager-Secret": "s3cret-s3cret"})
    said = client.webhooks.receive(source.uuid, body=json.dumps(ALERT).encode(), options=secret)
    found = [incident for incident in client.incidents.list() if incident.source == "alertmanager"]
    pieces: list[str] = []
    finished = client.incidents.wait(found[0].uuid, timeout=30, on_log=pieces.append)

    assert said.strip() == "Received 1 alerts"
    assert len(found) == 1
    assert found[0].full_log == ""
    assert finished.status == "completed"
    assert "".join(pieces) == finished.full_log
    assert "web-1" in finished.response
    client.alert_sources.delete(source.uuid)


def test_a_keyed_write_happens_once(client: Akmatori) -> None:
    """The same key and body answer the same incident; another body under the key is refused."""
    key = CallOptions(idempotency_key="once-and-only-once")
    first = client.incidents.create(task="Why is db-1 slow?", options=key)
    again = client.incidents.create(task="Why is db-1 slow?", options=key)

    assert again == first
    with pytest.raises(ConflictError) as refused:
        client.incidents.create(task="Another question", options=key)
    assert refused.value.code == "idempotency_key_reused"


def test_lists_are_read_to_their_end(client: Akmatori) -> None:
    """Pages of any size hand out each incident once, newest first."""
    made = [client.incidents.create(task=f"Check host {number}").uuid for number in range(7)]

    listed = [incident.uuid for incident in client.incidents.list(page_size=3)]

    assert listed[:7] == made[::-1]
    assert len(listed) == len(set(listed))
    assert [incident.uuid for incident in client.incidents.list(page_size=3, max_items=4)] == made[:2:-1]


def test_keys_made_by_the_sdk_work_until_they_are_deleted(client: Akmatori, server: Site) -> None:
    """A key is answered once, masked afterwards, and refused after its end."""
    client.incidents.create(task="Something to read")
    made = client.settings.api_keys.create(name="ci", scope="read")
    listed = {key.id: key for key in client.settings.api_keys.list()}

    with Akmatori(base_url=server.base_url + "/api", api_key=made.key) as reader:
        assert reader.incidents.list().first() is not None
    assert made.key not in repr(made)
    assert made.key not in repr(listed[made.id])
    client.settings.api_keys.delete(made.id)


async def _drive(base_url: str) -> tuple[str, list[str]]:
    async with AsyncAkmatori(base_url=base_url, username="admin", password=PASSWORD) as client:
        finished = await client.incidents.create_and_wait(task="Is web-1 up?", timeout=30)
        return str(finished.status), [incident.uuid async for incident in client.incidents.list(page_size=2)]


def test_async_is_the_same(server: Site) -> None:
    """The async client creates, waits and lists."""
    import asyncio

    status, listed = asyncio.run(_drive(server.base_url))

    assert status == "completed"
    assert listed
