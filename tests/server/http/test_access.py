"""Who gets in: credentials, scopes, setup mode."""

from __future__ import annotations

import httpx
import pytest

from akmatori_server.errors import Unavailable
from akmatori_server.http.application import build_application
from akmatori_server.http.call import Scope
from tests.server.http.conftest import Toy
from tests.support.running import serve
from tests.support.toy import Keys, Things, toy_system


def call(toy: Toy, method: str, path: str, **headers: str) -> httpx.Response:
    """Send a request with these headers and no other credential."""
    return httpx.request(
        method,
        str(toy.client.base_url.join(path)),
        headers={k.replace("_", "-"): v for k, v in headers.items()},
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"X_API_Key": "r"},
        {"Authorization": "Bearer r"},
        {"Authorization": "bearer r"},
        {"Authorization": "ApiKey r"},
        {"Authorization": "Bearer wrong", "X_API_Key": "r"},
    ],
)
def test_every_way_to_send_a_credential(toy: Toy, headers: dict[str, str]) -> None:
    """One that is valid is enough."""
    answer = call(toy, "GET", "/api/things", **headers)

    assert (answer.status_code, answer.json().get("caller")) == (200, "r")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_API_Key": ""},
        {"X_API_Key": "wrong"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "r"},
        {"Authorization": "Basic cjpy"},
        {"Cookie": "token=r"},
    ],
)
def test_no_valid_credential_is_401(toy: Toy, headers: dict[str, str]) -> None:
    """Told how to authenticate, in the error's shape."""
    answer = call(toy, "GET", "/api/things", **headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="API"'


@pytest.mark.parametrize(
    ("key", "method", "path", "status"),
    [
        ("r", "GET", "/api/things", 200),
        ("r", "POST", "/api/things", 403),
        ("r", "DELETE", "/api/things/1", 403),
        ("w", "GET", "/api/things", 200),
        ("w", "POST", "/api/things", 400),
        ("w", "DELETE", "/api/things/1", 403),
        ("a", "POST", "/api/things", 400),
        ("a", "DELETE", "/api/things/1", 204),
        ("wrong", "GET", "/api/later", 401),
        ("r", "GET", "/api/later", 501),
    ],
)
def test_scopes(toy: Toy, key: str, method: str, path: str, status: int) -> None:
    """A scope includes the smaller ones; it is checked before the body is looked at."""
    assert call(toy, method, path, X_API_Key=key).status_code == status


def test_nothing_in_a_refused_body_is_read(toy: Toy) -> None:
    """Who may not write learns nothing about what would be wrong with the body."""
    answer = call(toy, "POST", "/api/things", X_API_Key="r")

    assert answer.json()["error"] == "This credential has the scope read; the operation needs write."


def test_public_operations_take_anybody(toy: Toy) -> None:
    """A wrong credential is not looked at."""
    assert call(toy, "GET", "/open").json() == {"caller": "anonymous"}
    assert call(toy, "GET", "/open", Authorization="Bearer wrong").json() == {"caller": "anonymous"}


def test_when_keys_cannot_be_looked_up_nobody_gets_in(toy: Toy) -> None:
    """503, neither 401 nor 200."""
    toy.keys.failure = lambda: Unavailable("The database does not answer; try again.")

    assert call(toy, "GET", "/api/things", X_API_Key="a").status_code == 503


def test_setup_mode_closes_everything_but_the_setup() -> None:
    """Until there is a password; afterwards everything is open, and the setup closed."""
    state = {"required": True}
    app = build_application(
        [toy_system(Things())],
        authenticator=Keys({"a": Scope.ADMIN}),
        setup_required=lambda: state["required"],
        observe=lambda **_: None,
    )
    with serve(app) as url, httpx.Client(base_url=url, headers={"X-API-Key": "a"}) as client:
        for path in ("/api/things", "/open", "/nope", "/auth/login"):
            closed = client.get(path)
            assert (closed.status_code, closed.json()["code"]) == (503, "setup_required")
            assert "retry-after" in closed.headers
        assert client.post("/webhook/alert/u", content=b"x").status_code == 503
        # This toy has no such operations: that they are looked up shows that the gate let them through.
        for path in ("/auth/setup", "/auth/setup-status", "/health", "/readyz", "/api/docs"):
            assert client.get(path).status_code == 404
        assert client.post("/auth/setup").status_code == 404

        state["required"] = False

        assert client.get("/api/things").status_code == 200
        over = client.post("/auth/setup", content=b"{")
        assert (over.status_code, over.json()["code"]) == (403, "setup_already_completed")
