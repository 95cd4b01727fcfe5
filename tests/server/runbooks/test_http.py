"""Runbooks over HTTP: what a client of the real server sends and gets."""

from __future__ import annotations

import httpx
import pytest


def test_the_life_of_a_runbook(admin: httpx.Client) -> None:
    """Created, read, replaced, listed bare and in pages, deleted."""
    created = admin.post("/api/runbooks", json={"title": " Disk ", "content": "df -h\n"})
    path = f"/api/runbooks/{created.json()['id']}"
    replaced = admin.put(
        path, json={"title": "Disk full", "content": "du"}, headers={"If-Match": created.headers["ETag"]}
    )
    stale = admin.put(
        path, json={"title": "x", "content": "y"}, headers={"If-Match": created.headers["ETag"]}
    )
    bare = admin.get("/api/runbooks").json()
    page = admin.get("/api/runbooks", params={"page": 1}).json()
    deleted = admin.delete(path)

    assert created.status_code == 201
    assert created.json()["title"] == "Disk"
    assert created.json()["content"] == "df -h\n"
    assert replaced.status_code == 200
    assert replaced.json()["title"] == "Disk full"
    assert stale.status_code == 409
    assert replaced.json() in bare
    assert page["data"] == bare[:50]
    assert page["pagination"]["total"] == len(bare)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert admin.get(path).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(("number", "status"), [("987654", 404), ("9007199254740991", 404), ("abc", 400)])
def test_an_unknown_runbook(admin: httpx.Client, method: str, number: str, status: int) -> None:
    """404 for every operation; what is no number at all is 400."""
    body = {"title": "x", "content": "y"} if method == "PUT" else None

    assert admin.request(method, f"/api/runbooks/{number}", json=body).status_code == status


@pytest.mark.parametrize(
    "body", [{}, {"title": " ", "content": "x"}, {"title": "x", "content": "\n"}, {"title": "x"}]
)
def test_a_bad_body_is_refused(admin: httpx.Client, body: object) -> None:
    """Both members are needed, and neither may be blank."""
    assert admin.post("/api/runbooks", json=body).status_code == 400
