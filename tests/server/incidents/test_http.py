"""Incidents over HTTP: what a client of the real server sends and gets."""

from __future__ import annotations

import time

import httpx
import pytest

from akmatori_server.http.call import Scope
from tests.support.site import Site

UNKNOWN = "0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77"


def test_create_get_and_list(admin: httpx.Client) -> None:
    """The create answers 201 at once; the incident is read by its uuid and heads the list."""
    created = admin.post("/api/incidents", json={"task": "Check disk on db-1", "context": {"host": "db-1"}})
    uuid = created.json()["uuid"]
    single = admin.get(f"/api/incidents/{uuid}")
    listed = admin.get("/api/incidents", params={"per_page": 1}).json()

    assert created.status_code == 201
    assert created.json()["status"] == "pending"
    assert created.json()["working_dir"].endswith(f"/incidents/{uuid}")
    assert single.json()["context"] == {"task": "Check disk on db-1", "created_by": "api", "host": "db-1"}
    assert single.headers["etag"].startswith('"')
    assert single.json()["created_at"].endswith("Z")
    assert listed["data"][0]["uuid"] == uuid
    assert listed["data"][0]["full_log"] == ""
    assert listed["pagination"]["per_page"] == 1


@pytest.mark.parametrize(
    ("query", "page", "per_page"),
    [
        ("", 1, 50),
        ("page=abc&per_page=-5", 1, 50),
        ("page=0&per_page=0", 1, 50),
        ("page=2&per_page=1000", 2, 200),
        ("page=999999999999999999999", 1000000, 50),
    ],
)
def test_paging_is_never_an_error(admin: httpx.Client, query: str, page: int, per_page: int) -> None:
    """Garbage falls back to the default; too much is the maximum."""
    answer = admin.get(f"/api/incidents?{query}")

    assert answer.status_code == 200
    pagination = answer.json()["pagination"]
    assert (pagination["page"], pagination["per_page"]) == (page, per_page)


def test_a_cursor_continues_the_list(admin: httpx.Client) -> None:
    """The next page begins where the last one ended."""
    uuids = [admin.post("/api/incidents", json={"task": f"t{n}"}).json()["uuid"] for n in range(3)]
    first = admin.get("/api/incidents", params={"per_page": 2}).json()
    cursor = first["pagination"]["next_cursor"]
    following = admin.get("/api/incidents", params={"per_page": 2, "cursor": cursor}).json()
    tampered = admin.get(
        "/api/incidents", params={"cursor": cursor[:-1] + ("A" if cursor[-1] != "A" else "B")}
    )

    assert [item["uuid"] for item in first["data"]] == uuids[:0:-1]
    assert following["data"][0]["uuid"] == uuids[0]
    assert tampered.status_code == 400
    assert "cursor" in tampered.json()["error"]


@pytest.mark.parametrize(
    "body", [{}, {"task": ""}, {"task": None}, {"task": 5}, {"task": "x", "more": 1}, []]
)
def test_a_bad_body_is_refused(admin: httpx.Client, body: object) -> None:
    """With 400 and the one error shape."""
    answer = admin.post("/api/incidents", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_an_unknown_incident_is_404(admin: httpx.Client) -> None:
    """With a sentence."""
    answer = admin.get(f"/api/incidents/{UNKNOWN}")

    assert answer.status_code == 404
    assert answer.json() == {"error": "No incident has this uuid.", "code": "not_found"}


def test_a_retried_create_is_one_incident(admin: httpx.Client) -> None:
    """Under the same key the answer is the same."""
    answers = [
        admin.post("/api/incidents", json={"task": "once"}, headers={"Idempotency-Key": "retry-1"})
        for _ in range(3)
    ]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["uuid"] for answer in answers}) == 1


def test_nobody_reads_incidents_without_a_credential(server: Site) -> None:
    """401 with the scheme to use."""
    with server.client() as anonymous:
        answer = anonymous.get("/api/incidents")

    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


def test_cancel_and_retry_over_http(server: Site, admin: httpx.Client) -> None:
    """Whatever the engine was at, the incident ends failed or completed, and can then be asked for again."""
    uuid = admin.post("/api/incidents", json={"task": "Check disk on db-1"}).json()["uuid"]
    wait_until_over(admin, uuid)
    over = admin.post(f"/api/incidents/{uuid}/cancel")
    retried = admin.post(f"/api/incidents/{uuid}/retry")
    log = wait_until_over(admin, uuid)["full_log"]

    assert over.status_code == 409
    assert over.json() == {
        "error": "The investigation is over already: the incident is completed.",
        "code": "conflict",
    }
    assert retried.status_code == 200
    assert (retried.json()["status"], "completed_at" in retried.json()) == ("pending", False)
    assert retried.headers["etag"].startswith('"')
    assert log.count("--- Final Response ---") == 2
    assert log.index("--- Run 2 ---") < log.rindex("--- Execution Log ---")
    for verb in ("cancel", "retry"):
        assert admin.post(f"/api/incidents/{UNKNOWN}/{verb}").status_code == 404
        with server.client(server.key(Scope.READ)) as reader:
            assert reader.post(f"/api/incidents/{uuid}/{verb}").status_code == 403


def wait_until_over(admin: httpx.Client, uuid: str) -> dict[str, str]:
    """Read the incident until its investigation is over."""
    give_up = time.monotonic() + 20
    while True:
        incident: dict[str, str] = admin.get(f"/api/incidents/{uuid}").json()
        if incident["status"] not in {"pending", "running"}:
            return incident
        assert time.monotonic() < give_up, incident
        time.sleep(0.05)
