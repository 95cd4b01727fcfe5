"""The layer under the real specification: bad input on real operations, and the stored state after it."""

from __future__ import annotations

import httpx
import pytest

from akmatori_server._generated.akmatori.bindings import OPERATIONS
from akmatori_server.http.binding import Binding
from akmatori_server.http.call import Scope
from tests.support.site import ON_SQLITE_ALONE, Site

pytestmark = ON_SQLITE_ALONE

UUID = "0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77"
IDENTITY = {operation.id: operation for operation in OPERATIONS}
PROTECTED = [operation for operation in OPERATIONS if operation.scope is not None]


def filled(binding: Binding) -> str:
    """Return a path of the operation with something sensible in its places."""
    path = binding.path
    for parameter in binding.params:
        if parameter.where == "path":
            text = (
                UUID
                if parameter.wire in {"uuid", "keyId"}
                else "1"
                if parameter.kind == "integer"
                else "a.txt"
            )
            path = path.replace("{" + parameter.wire + "}", text)
    return path


@pytest.mark.parametrize("binding", PROTECTED, ids=lambda binding: binding.id)
def test_no_operation_is_open_by_accident(server: Site, binding: Binding) -> None:
    """Without a credential, and with a wrong one, each protected operation is 401."""
    with server.client() as client:
        bare = client.request(binding.method, filled(binding))
        wrong = client.request(binding.method, filled(binding), headers={"X-API-Key": "akm_wrong"})

    assert (bare.status_code, wrong.status_code) == (401, 401)


def test_no_write_is_open_to_readers(server: Site) -> None:
    """A key that may read is 403 wherever more is needed, pending operations included."""
    with server.client(server.key(Scope.READ, "only-reads")) as client:
        answered = {
            binding.id: client.request(binding.method, filled(binding)).status_code
            for binding in PROTECTED
            if binding.scope is not Scope.READ
        }

    assert set(answered.values()) == {403}, answered


WRITES = [
    ("POST", "/api/incidents", {"task": "Look at db-1"}),
    ("POST", "/api/runbooks", {"title": "Disk", "content": "Look."}),
    ("POST", "/api/alert-sources", {"source_type_name": "alertmanager", "name": "prom"}),
    ("POST", "/api/settings/api-keys", {"name": "k", "scope": "read"}),
]


@pytest.mark.parametrize(("method", "path", "good"), WRITES, ids=[path for _, path, _ in WRITES])
@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b"[" * 100_000 + b"]" * 100_000, 400),
        (b'{"\xff": 1}', 400),
        (b" " * (1024 * 1024 + 1), 413),
    ],
    ids=["empty", "cut", "array", "nothing", "deep", "not utf-8", "too large"],
)
def test_bad_bodies(
    admin: httpx.Client, method: str, path: str, good: dict[str, object], content: bytes, status: int
) -> None:
    """Refused in the error's shape, and nothing is stored."""
    before = admin.get(path).json()

    answer = admin.request(method, path, content=content)

    assert answer.status_code == status, answer.text
    assert set(answer.json()) <= {"error", "code", "details"}
    assert admin.get(path).json() == before


@pytest.mark.parametrize(("method", "path", "good"), WRITES, ids=[path for _, path, _ in WRITES])
def test_an_unknown_member_is_named(
    admin: httpx.Client, method: str, path: str, good: dict[str, object]
) -> None:
    """And nothing is stored, though everything else is right."""
    before = admin.get(path).json()

    answer = admin.request(method, path, json={**good, "surprise": 1})

    assert answer.status_code == 400
    assert "surprise" in answer.json()["error"]
    assert admin.get(path).json() == before


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/api/incidents/{UUID}", 404),
        ("/api/incidents/nope", 404),
        ("/api/runbooks/999999", 404),
        ("/api/runbooks/0", 400),
        ("/api/runbooks/x", 400),
        ("/api/runbooks/" + "9" * 4000, 400),
        (f"/api/alert-sources/{UUID}", 404),
        ("/api/alert-sources/%00", 400),
    ],
)
def test_ids_that_lead_nowhere(admin: httpx.Client, path: str, status: int) -> None:
    """Unknown is 404, impossible numbers are 400."""
    answer = admin.get(path)

    assert (answer.status_code, set(answer.json())) == (status, {"error", "code"})


def test_lists_are_bare_until_pages_are_asked_for(admin: httpx.Client) -> None:
    """The product's clients expect it; the list of incidents always has pages."""
    assert isinstance(admin.get("/api/runbooks").json(), list)
    assert set(admin.get("/api/runbooks", params={"page": 1}).json()) == {"data", "pagination"}
    assert set(admin.get("/api/runbooks", params={"per_page": "garbage"}).json()) == {"data", "pagination"}
    assert set(admin.get("/api/incidents").json()) == {"data", "pagination"}


def test_aotanami_answers_in_its_shape(server: Site) -> None:
    """The second specification is served by the same process."""
    with server.client() as client:
        assert client.get("/api/v1/incidents").json()["error"]["code"] == 401
        assert client.get("/api/v1/openapi.json").json()["servers"][0]["url"].endswith("/api/v1")
