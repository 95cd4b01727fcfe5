"""Proposals and calls of tools over HTTP and through the SDK."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest

from akmatori_sdk import Akmatori, ConflictError
from akmatori_sdk._generated.akmatori import models
from akmatori_server.http.call import Scope
from tests.server.proposals.office import Office, make_office
from tests.support.site import Site

NOBODY = "00000000-0000-4000-8000-000000000000"
SECONDS = 15.0


@pytest.fixture(scope="module")
def office(server: Site) -> Office:
    """An investigation beside the server, on the same database."""
    site = server.installation
    return make_office(site.database, secrets=site.secrets, now=site.now)


@pytest.fixture(scope="module")
def client(server: Site, api_key: str) -> Iterator[Akmatori]:
    """The SDK with a key that may do everything."""
    with Akmatori(base_url=server.base_url, api_key=api_key) as made:
        yield made


def ended(client: Akmatori, uuid: str) -> models.Proposal:
    """Wait until the server did it, or said why not."""
    give_up = time.monotonic() + SECONDS
    while (proposal := client.proposals.get(uuid)).state in {"approved", "running"}:
        assert time.monotonic() < give_up, "nobody did it"
        time.sleep(0.02)
    return proposal


def test_from_the_proposal_to_its_end(office: Office, client: Akmatori, server: Site) -> None:
    """Found, read, approved for what was read, and ended by the server itself, which has no such kit."""
    stored = office.proposed("m1.0")

    (pending,) = client.proposals.list(state="pending", incident=stored.incident_uuid)
    assert pending == client.proposals.get(stored.uuid)
    assert (pending.summary, pending.call_id, pending.purpose) == ("change at db-1", "m1.0", "to free it")
    with pytest.raises(ConflictError, match="another action"):
        client.proposals.approve(pending.uuid, digest="0" * 64)
    approved = client.proposals.approve(pending.uuid, digest=pending.digest, note="agreed")
    over = ended(client, pending.uuid)

    assert (approved.state, approved.decided_by, approved.note) == ("approved", "everything", "agreed")
    assert approved.decided_from == "127.0.0.1"
    assert over.state == "failed"
    assert over.output.startswith("Not done: ")
    assert client.proposals.approve(pending.uuid).state == "failed"
    assert "❌ Failed after approval by everything: change at db-1" in (
        client.incidents.get(stored.incident_uuid).full_log
    )
    assert list(client.proposals.list(state="done")) == []


def test_who_may_decide_and_what_is_wrong(office: Office, server: Site, admin: httpx.Client) -> None:
    """Reading takes read, deciding takes admin; a logged-in person needs no body."""
    uuid = office.proposed("m2.0").uuid
    other = office.proposed("m3.0").uuid
    with server.client() as anonymous:
        assert anonymous.get("/api/proposals").status_code == 401
        assert anonymous.post(f"/api/proposals/{uuid}/approve").status_code == 401
    with server.client(server.key(Scope.WRITE)) as writer:
        assert writer.get(f"/api/proposals/{uuid}").status_code == 200
        for verb in ("approve", "reject"):
            assert writer.post(f"/api/proposals/{uuid}/{verb}", json={}).status_code == 403
    assert admin.get(f"/api/proposals/{uuid}").json()["state"] == "pending"

    rejected = admin.post(f"/api/proposals/{uuid}/reject", json={"note": "not now"}).json()
    assert (rejected["state"], rejected["note"], rejected["decided_by"]) == ("rejected", "not now", "admin")
    assert admin.post(f"/api/proposals/{other}/approve").json()["state"] == "approved"
    wrong = {
        ("GET", "/api/proposals?state=lost"): 400,
        ("GET", "/api/proposals?incident=7"): 400,
        ("GET", f"/api/proposals/{NOBODY}"): 404,
        ("POST", f"/api/proposals/{NOBODY}/approve"): 404,
        ("POST", f"/api/proposals/{NOBODY}/reject"): 404,
        ("POST", f"/api/proposals/{uuid}/approve"): 409,
        ("GET", f"/api/incidents/{NOBODY}/tool-calls"): 404,
    }
    assert {one: admin.request(*one).status_code for one in wrong} == wrong
    assert admin.post(f"/api/proposals/{uuid}/approve", json={"digest": "x"}).status_code == 400
    pages = admin.get("/api/proposals?page=1&per_page=1").json()["pagination"]
    assert pages["total_pages"] == pages["total"] >= 2


def test_the_calls_of_an_incident(office: Office, client: Akmatori) -> None:
    """All of them in their order, also those that were not made; a proposed one leads to its proposal."""
    stored = office.proposed("m4.0")

    async def more() -> None:
        async with office.toolbox.open(office.room.take(), office.toolbox.assigned()) as bench:
            await bench.call("m5.0", "oracle-1", "look", {"host": "db-1" * 3000}, purpose="to see")
            await bench.call("m5.1", "oracle-1", "gaze", {})

    asyncio.run(more())

    calls = list(client.incidents.tool_calls(stored.incident_uuid, page_size=2))[-3:]
    assert [(one.call_id, one.function, one.state) for one in calls] == [
        ("m4.0", "change", "proposed"),
        ("m5.0", "look", "done"),
        ("m5.1", "gaze", "refused"),
    ]
    proposed, done, _ = calls
    assert (proposed.proposal_uuid, proposed.access) == (stored.uuid, "write")
    assert (done.purpose, done.access, done.attempts, done.is_cached) == ("to see", "read", 1, False)
    assert len(done.output) < 5000
    assert done.ended_at is not None
