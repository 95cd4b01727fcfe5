"""API keys through HTTP: made, shown once, used, listed, revoked."""

from __future__ import annotations

import re

import httpx
import pytest

from akmatori_server.auth.tables import api_keys
from akmatori_server.http.call import Scope
from tests.support.site import Site

PATH = "/api/settings/api-keys"


def make(admin: httpx.Client, name: str, scope: str = "write") -> dict[str, object]:
    """Make a key."""
    answer = admin.post(PATH, json={"name": name, "scope": scope})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, object] = answer.json()
    return body


def test_a_key_is_shown_once_and_works_at_once(server: Site, admin: httpx.Client) -> None:
    """It is random, and only its hash is stored."""
    created = make(admin, "  terraform ")
    key = str(created["key"])

    assert re.fullmatch(r"akm_[A-Za-z0-9_-]{43}", key)
    assert (created["name"], created["scope"], created["hint"]) == ("terraform", "write", f"****{key[-4:]}")
    for header in (
        {"X-API-Key": key},
        {"Authorization": f"ApiKey {key}"},
        {"Authorization": f"Bearer {key}"},
    ):
        with server.client() as client:
            assert client.get("/api/incidents", headers=header).status_code == 200
    assert key not in admin.get(PATH).text
    with server.installation.database.read() as connection:
        assert key not in str(connection.execute(api_keys.select()).all())


def test_scopes_bound_what_a_key_may_do(server: Site, admin: httpx.Client) -> None:
    """Reading, writing and administration."""
    runbook = {"title": "Disk", "content": "Look."}
    allowed = {}
    for scope in Scope:
        with server.client(str(make(admin, f"scope-{scope}", scope.value)["key"])) as client:
            allowed[scope.value] = (
                client.get("/api/runbooks").status_code,
                client.post("/api/runbooks", json=runbook).status_code,
                client.get(PATH).status_code,
            )

    assert allowed == {"read": (200, 403, 403), "write": (200, 201, 403), "admin": (200, 201, 200)}


def test_a_revoked_key_is_refused_from_the_next_request_on(server: Site, admin: httpx.Client) -> None:
    """Though it was used a moment before; and its name is free again."""
    created = make(admin, "temporary")
    with server.client(str(created["key"])) as client:
        assert client.get("/api/incidents").status_code == 200

        assert admin.delete(f"{PATH}/{created['id']}").status_code == 204

        assert client.get("/api/incidents").status_code == 401
    assert admin.delete(f"{PATH}/{created['id']}").status_code == 404
    assert "temporary" not in admin.get(PATH).text
    assert make(admin, "temporary")["id"] != created["id"]


def test_names_are_unique(admin: httpx.Client) -> None:
    """A second key of the name is 409."""
    make(admin, "unique")

    assert admin.post(PATH, json={"name": "unique", "scope": "read"}).status_code == 409
    assert admin.post(PATH, json={"name": " unique ", "scope": "read"}).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "scope": "read"},
        {"name": "   ", "scope": "read"},
        {"name": "x" * 101, "scope": "read"},
        {"name": "a"},
        {"name": "a", "scope": "root"},
        {"name": "a", "scope": "read", "key": "mine"},
        {"name": "a\u0000", "scope": "read"},
    ],
)
def test_bad_keys_are_refused(admin: httpx.Client, body: dict[str, str]) -> None:
    """Nothing is made."""
    before = admin.get(PATH).json()

    assert admin.post(PATH, json=body).status_code == 400
    assert admin.get(PATH).json() == before


@pytest.mark.parametrize(("identifier", "status"), [("0", 400), ("x", 400), ("9" * 30, 400), ("999999", 404)])
def test_unknown_ids(admin: httpx.Client, identifier: str, status: int) -> None:
    """No id is 400, an unknown one 404."""
    assert admin.delete(f"{PATH}/{identifier}").status_code == status


def test_the_list_has_pages(admin: httpx.Client) -> None:
    """Bare without parameters, in pages with them."""
    make(admin, "page-one")
    make(admin, "page-two")
    every = admin.get(PATH).json()

    second = admin.get(PATH, params={"page": 2, "per_page": 1}).json()

    assert isinstance(every, list)
    assert second["data"] == [every[1]]
    assert second["pagination"] == {
        "page": 2,
        "per_page": 1,
        "total": len(every),
        "total_pages": len(every),
    }


def test_the_last_use_is_noted(server: Site, admin: httpx.Client) -> None:
    """To the minute."""
    created = make(admin, "used")
    assert created["last_used_at"] is None
    with server.client(str(created["key"])) as client:
        client.get("/api/incidents")

    listed = next(key for key in admin.get(PATH).json() if key["name"] == "used")

    assert listed["last_used_at"] is not None
