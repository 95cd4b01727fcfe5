"""The audit trail over HTTP and through the SDK."""

from __future__ import annotations

import httpx
import pytest

from akmatori_sdk import Akmatori
from akmatori_server.http.call import Scope
from tests.support.site import Site


def test_a_write_is_read_back_from_the_trail(server: Site, admin: httpx.Client) -> None:
    """Who, what, from where, before and after, under the id of the request."""
    before = admin.get("/api/settings/general").json()
    url = "https://audited.example.net"
    written = admin.put("/api/settings/general", json={"base_url": url}, headers={"X-Request-ID": "r-17"})
    page = admin.get("/api/audit", params={"action": "settings:general:updated"}).json()
    entry = page["data"][0]

    assert (entry["actor_kind"], entry["actor"]) == ("user", "admin")
    assert (entry["target"], entry["remote"]) == ("settings:general", "127.0.0.1")
    assert entry["request_id"] == "r-17"
    assert (entry["before"], entry["after"]) == (before, written.json())
    assert entry["after"]["base_url"] == url


def test_a_key_is_named_as_the_actor(server: Site, admin: httpx.Client) -> None:
    """By its name, never by itself."""
    key = server.key(Scope.ADMIN, "terraform")
    with server.client(key) as terraform:
        terraform.put("/api/settings/general", json={})
    answer = admin.get("/api/audit", params={"actor": "terraform"})

    assert answer.json()["data"][0]["actor_kind"] == "api_key"
    assert key not in answer.text


def test_a_refused_write_leaves_no_entry(admin: httpx.Client) -> None:
    """Only what happened is in the trail."""
    before = admin.get("/api/audit").json()["pagination"]["total"]
    refused = admin.put("/api/settings/retention", json={"retention_days": 0})
    stale = admin.put("/api/settings/general", json={}, headers={"If-Match": '"x"'})

    assert (refused.status_code, stale.status_code) == (400, 409)
    assert admin.get("/api/audit").json()["pagination"]["total"] == before


@pytest.mark.parametrize(("scope", "status"), [(Scope.READ, 403), (Scope.WRITE, 403), (Scope.ADMIN, 200)])
def test_only_an_administrator_reads_it(server: Site, scope: Scope, status: int) -> None:
    """It tells who does what."""
    with server.client(server.key(scope)) as client:
        assert client.get("/api/audit").status_code == status


@pytest.mark.parametrize(
    "query", ["since=-1", "since=x", "until=99999999999999", "cursor=abc", "action=", f"actor={'x' * 256}"]
)
def test_a_filter_that_cannot_be_meant_is_refused(admin: httpx.Client, query: str) -> None:
    """With 400, not with an empty list."""
    assert admin.get(f"/api/audit?{query}").status_code == 400


def test_the_sdk_reads_the_trail(server: Site, admin: httpx.Client, api_key: str) -> None:
    """Page after page, with the filters."""
    for number in range(3):
        admin.put("/api/settings/general", json={"base_url": f"https://n{number}.example.net"})
    with Akmatori(server.base_url, api_key=api_key) as client:
        entries = list(client.audit.list(target="settings:general", actor="admin", page_size=2, max_items=3))

    urls = [(entry.after or {})["base_url"] for entry in entries]
    assert urls == [f"https://n{number}.example.net" for number in (2, 1, 0)]
