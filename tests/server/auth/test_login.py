"""Login, tokens and the setup, through HTTP."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import pytest

from akmatori_server.http.call import Scope
from tests.support.databases import copied_database
from tests.support.site import PASSWORD, Site, running_site

GOOD = {"username": "admin", "password": PASSWORD}


def refused(answer: httpx.Response, status: int, code: str) -> httpx.Response:
    """Check a refusal."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return answer


def test_login_answers_a_token_that_opens_everything(server: Site) -> None:
    """With the truth about its lifetime."""
    with server.client() as client:
        answer = client.post("/auth/login", json=GOOD)
    body = answer.json()
    claims = jwt.decode(body["token"], options={"verify_signature": False})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (body["username"], body["expires_in"]) == ("admin", 24 * 3600)
    assert claims["exp"] - claims["iat"] == body["expires_in"]
    assert (claims["iss"], claims["username"]) == ("akmatori", "admin")
    with server.client(body["token"]) as client:
        assert client.get("/auth/verify").json() == {"valid": True, "username": "admin"}
        assert client.get("/api/settings/api-keys").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"username": "admin", "password": PASSWORD + "x"},
        {"username": "Admin", "password": PASSWORD},
        {"username": "admin", "password": "\N{SNOWMAN}"},
    ],
)
def test_a_wrong_login_does_not_tell_what_is_wrong(server: Site, body: dict[str, str]) -> None:
    """Name and password fail alike."""
    with server.client() as client:
        answer = refused(client.post("/auth/login", json=body), 401, "unauthorized")
        client.post("/auth/login", json=GOOD)  # so that the throttle forgets

    assert answer.json()["error"] == "The name or the password is wrong."
    assert answer.headers["www-authenticate"] == 'Bearer realm="API"'


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"username": "admin"}',
        b'{"username": "", "password": "x"}',
        b'{"username": 1, "password": "x"}',
        b"[]",
    ],
)
def test_a_login_that_cannot_be_read_is_400(server: Site, body: bytes) -> None:
    """It does not count as a failed login."""
    with server.client() as client:
        for _ in range(10):
            refused(client.post("/auth/login", content=body), 400, "bad_request")


def forge(claims: dict[str, object], secret: str = "x" * 32, algorithm: str = "HS256") -> str:
    """Make a token that is not the server's."""
    now = datetime.now(UTC)
    usual = {"username": "admin", "iss": "akmatori", "iat": now, "exp": now + timedelta(hours=1)}
    return jwt.encode({**usual, **claims}, secret, algorithm=algorithm)


def test_forged_and_expired_tokens_are_refused(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other secret, no signature, other issuer, other user, run out, without an end."""
    monkeypatch.delenv("JWT_SECRET", raising=False)
    secret = "the secret of this server, 32 bytes"
    with (
        copied_database("sqlite", tmp_path, request) as url,
        running_site(url, tmp_path, jwt_secret=secret) as site,
        site.client() as client,
    ):
        now = datetime.now(UTC)
        tokens = {
            "other secret": forge({}),
            "no signature": forge({}, "", "none"),
            "other algorithm": forge({}, secret * 2, "HS512"),
            "other issuer": forge({"iss": "someone"}, secret),
            "other user": forge({"username": "root"}, secret),
            "no user": forge({"username": None}, secret),
            "run out": forge({"exp": now - timedelta(seconds=1)}, secret),
            "not a token": "a.b.c",
        }
        answered = {
            name: client.get("/auth/verify", headers={"Authorization": f"Bearer {token}"}).status_code
            for name, token in tokens.items()
        }
        good = client.get("/auth/verify", headers={"Authorization": f"Bearer {forge({}, secret)}"})

    assert set(answered.values()) == {401}, answered
    assert good.status_code == 200


def test_a_token_outlives_a_restart(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The secret that was made at the first start is kept, encrypted."""
    with copied_database("sqlite", tmp_path, request) as url:
        with running_site(url, tmp_path) as site, site.client() as client:
            token = client.post("/auth/login", json=GOOD).json()["token"]
        with running_site(url, tmp_path) as site, site.client(token) as client:
            assert client.get("/auth/verify").status_code == 200


def test_guessing_is_slowed_down(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """After five failures a minute even the right password has to wait."""
    with (
        copied_database("sqlite", tmp_path, request) as url,
        running_site(url, tmp_path) as site,
        site.client() as client,
    ):
        for _ in range(5):
            refused(client.post("/auth/login", json={**GOOD, "password": "wrong"}), 401, "unauthorized")

        answer = refused(client.post("/auth/login", json=GOOD), 429, "too_many_requests")

        assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_the_setup(setup_site: Site) -> None:
    """Closed but for the setup; then logged in; then never again."""
    chosen = {"password": "a long new password", "confirm_password": "a long new password"}
    with setup_site.client() as client:
        assert client.get("/auth/setup-status").json() == {"setup_required": True, "setup_completed": False}
        refused(client.post("/auth/login", json=GOOD), 503, "setup_required")
        refused(client.get("/api/incidents"), 503, "setup_required")
        refused(client.get("/nothing/here"), 503, "setup_required")
        assert client.get("/health").status_code == 200
        assert client.get("/readyz").status_code == 200

        done = client.post("/auth/setup", json=chosen)

        assert done.status_code == 200
        assert client.get("/auth/setup-status").json() == {"setup_required": False, "setup_completed": True}
        token = done.json()["token"]
        assert client.get("/auth/verify", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        login = client.post("/auth/login", json={"username": "admin", "password": chosen["password"]})
        assert login.status_code == 200
        refused(client.post("/auth/setup", json=chosen), 403, "setup_already_completed")
        refused(client.post("/auth/setup", content=b"{"), 403, "setup_already_completed")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"password": "short", "confirm_password": "short"}, 422, "password"),
        ({"password": "", "confirm_password": ""}, 422, "password"),
        ({"password": "long enough", "confirm_password": "other"}, 422, "confirm_password"),
        ({"password": "long enough"}, 400, None),
        ({"password": "long enough", "confirm_password": 1}, 400, None),
        ({"password": "long enough", "confirm_password": "long enough", "username": "me"}, 400, None),
    ],
)
def test_a_setup_that_breaks_a_rule(
    setup_site: Site, body: dict[str, object], status: int, field: str | None
) -> None:
    """422 names the field; nothing is set."""
    with setup_site.client() as client:
        answer = client.post("/auth/setup", json=body)

        assert answer.status_code == status
        assert list(answer.json().get("details", {})) == ([] if field is None else [field])
        assert client.get("/auth/setup-status").json()["setup_required"] is True


def test_a_password_from_the_environment_needs_no_setup(server: Site) -> None:
    """And the setup was not completed here."""
    with server.client() as client:
        assert client.get("/auth/setup-status").json() == {"setup_required": False, "setup_completed": False}
        body = {"password": "a long new password", "confirm_password": "a long new password"}
        refused(client.post("/auth/setup", json=body), 403, "setup_already_completed")


def test_a_key_says_its_name(server: Site) -> None:
    """Verification works for keys of any scope."""
    with server.client(server.key(Scope.READ, "reader")) as client:
        assert client.get("/auth/verify").json() == {"valid": True, "username": "reader"}


def test_a_verified_token_is_remembered_but_not_for_long(server: Site) -> None:
    """A key that another process revokes is refused within seconds."""
    key = server.key(Scope.READ, "short-lived")
    with server.client(key) as client:
        assert client.get("/auth/verify").status_code == 200
        server.installation.auth.revoke_key_named("short-lived")
        # As if another process had done it: this one does not know of the revocation.
        server.installation.auth.revocations -= 1
        deadline = time.monotonic() + 10
        while client.get("/auth/verify").status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.25)
