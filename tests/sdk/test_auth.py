"""Logging in: when, how often, and what happens when many need a token at once."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import threading
from typing import Any, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_sdk import Akmatori, Aotanami, AsyncAkmatori, DecodeError, UnauthorizedError, UnavailableError
from akmatori_sdk._core.auth import Session, read_login
from tests.sdk.server import Reply, Scripted, Seen
from tests.sdk.support import UUID, StillClock, incident, run

ITEM = f"/api/incidents/{UUID}"


class Credentials(TypedDict):
    username: str
    password: str


LOGIN: Credentials = {"username": "admin", "password": "correct horse"}


def jwt(claims: Any) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{part}.c2ln"


class Issuer:
    """Issues numbered tokens and accepts those that were not revoked."""

    def __init__(self, server: Scripted, *, delay: float = 0.0, expires_in: int = 86400) -> None:
        self.revoked: set[str] = set()
        self.logins = 0
        self._delay, self._expires_in = delay, expires_in
        server.on("POST", "/auth/login", self._log_in)
        server.on("GET", ITEM, self._get)
        server.on("POST", "/api/incidents", self._get)

    def _log_in(self, seen: Seen) -> Reply:
        self.logins += 1
        if seen.json() != LOGIN:
            return Reply(status=401, json={"error": "wrong name or password"}, delay=self._delay)
        body = {"token": f"token-{self.logins}", "username": "admin", "expires_in": self._expires_in}
        return Reply(json=body, delay=self._delay)

    def _get(self, seen: Seen) -> Reply:
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if not token or token in self.revoked:
            return Reply(status=401, json={"error": "token invalid or expired"})
        return Reply(json=incident())


def test_the_first_call_logs_in_and_the_second_does_not(server: Scripted, flavour: str) -> None:
    issuer = Issuer(server)

    def twice(client: Any) -> Any:
        if flavour == "sync":
            return [client.incidents.get(UUID) for _ in range(2)]

        async def both() -> list[Any]:
            return [await client.incidents.get(UUID) for _ in range(2)]

        return both()

    assert len(run(flavour, server.url, twice, **LOGIN)) == 2
    assert issuer.logins == 1
    assert [seen.path for seen in server.seen] == ["/auth/login", ITEM, ITEM]
    assert "authorization" not in server.seen[0].headers


def test_public_operations_do_not_log_in(server: Scripted, flavour: str) -> None:
    issuer = Issuer(server)
    server.on("GET", "/health", Reply(json={"status": "ok", "version": "1"}))
    run(flavour, server.url, lambda c: c.health.get(), **LOGIN)
    assert issuer.logins == 0


@pytest.mark.parametrize("call", ["get", "create"])
def test_a_refused_token_is_replaced_once(server: Scripted, flavour: str, call: str) -> None:
    issuer = Issuer(server)
    issuer.revoked = {"token-1"}
    server.on("POST", "/api/incidents", lambda s: Reply(status=401) if "token-1" in str(s.headers) else Reply(
        status=201, json={"uuid": UUID, "status": "pending", "working_dir": "", "message": ""}))  # fmt: skip
    action = (lambda c: c.incidents.get(UUID)) if call == "get" else (lambda c: c.incidents.create(task="x"))
    assert run(flavour, server.url, action, **LOGIN).uuid == UUID
    assert issuer.logins == 2
    posts = server.calls("POST", "/api/incidents")
    assert len({seen.headers["idempotency-key"] for seen in posts}) <= 1


def test_a_second_refusal_is_final(server: Scripted, flavour: str) -> None:
    issuer = Issuer(server)
    issuer.revoked = {"token-1", "token-2"}
    with pytest.raises(UnauthorizedError) as caught:
        run(flavour, server.url, lambda c: c.incidents.get(UUID), **LOGIN)
    assert issuer.logins == 2
    assert caught.value.request is not None
    assert caught.value.request.path == ITEM
    assert caught.value.attempts == 2


def test_a_static_token_is_not_replaced(server: Scripted, flavour: str) -> None:
    issuer = Issuer(server)
    issuer.revoked = {"test-token"}
    with pytest.raises(UnauthorizedError):
        run(flavour, server.url, lambda c: c.incidents.get(UUID))
    assert issuer.logins == 0
    assert len(server.seen) == 1


def test_a_wrong_password_is_said_plainly(server: Scripted, flavour: str) -> None:
    Issuer(server)
    with pytest.raises(UnauthorizedError) as caught:
        run(flavour, server.url, lambda c: c.incidents.get(UUID), username="admin", password="wrong one")
    assert str(caught.value).startswith("POST /auth/login -> 401: wrong name or password (request ")
    assert "wrong one" not in str(caught.value) + caught.value.as_curl()


def test_a_login_reply_without_token(server: Scripted, flavour: str) -> None:
    server.on("POST", "/auth/login", Reply(json={"username": "admin"}))
    with pytest.raises(DecodeError, match="has no usable token"):
        run(flavour, server.url, lambda c: c.incidents.get(UUID), **LOGIN)


def test_the_login_is_retried(server: Scripted, flavour: str, still: StillClock) -> None:
    Issuer(server)
    server.on("POST", "/auth/login", Reply(fault="unread"), Reply(status=503), Reply(json={"token": "t"}))
    run(flavour, server.url, lambda c: c.incidents.get(UUID), clock=still.clock, **LOGIN)
    assert len(server.calls("POST")) == 3


def test_a_token_is_replaced_before_it_ends(server: Scripted, still: StillClock) -> None:
    issuer = Issuer(server, expires_in=1000)
    with Akmatori(server.url, clock=still.clock, **LOGIN) as client:
        for pause, logins in ((0, 1), (939, 1), (2, 2), (930, 2)):
            still.now += pause
            client.incidents.get(UUID)
            assert issuer.logins == logins


def test_one_login_for_many_threads(server: Scripted) -> None:
    issuer = Issuer(server, delay=0.1)
    found: list[str] = []
    with Akmatori(server.url, **LOGIN) as client:
        derived = client.with_options(timeout=9)
        barrier = threading.Barrier(8)

        def work(number: int) -> None:
            barrier.wait()
            found.append((client if number % 2 else derived).incidents.get(UUID).uuid)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert issuer.logins == 1
        issuer.revoked = {"token-1"}
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 16
    assert issuer.logins == 2


def test_one_login_for_many_tasks(server: Scripted) -> None:
    issuer = Issuer(server, delay=0.05)

    async def main() -> None:
        async with AsyncAkmatori(server.url, **LOGIN) as client:
            await asyncio.gather(*(client.incidents.get(UUID) for _ in range(10)))
            assert issuer.logins == 1
            issuer.revoked = {"token-1"}
            await asyncio.gather(*(client.incidents.get(UUID) for _ in range(10)))

    asyncio.run(main())
    assert issuer.logins == 2


def test_those_who_wait_for_a_login_that_fails_share_its_error(server: Scripted) -> None:
    issuer = Issuer(server, delay=0.1)
    errors: list[BaseException] = []

    async def main() -> None:
        async with AsyncAkmatori(server.url, username="admin", password="wrong") as client:
            calls = (client.incidents.get(UUID) for _ in range(10))
            errors.extend(
                e
                for e in await asyncio.gather(*calls, return_exceptions=True)
                if isinstance(e, UnauthorizedError)
            )

    asyncio.run(main())
    assert len(errors) == 10
    assert len({id(error) for error in errors}) == 10
    assert issuer.logins == 1


def test_a_login_that_is_cancelled_leaves_the_way_free(server: Scripted) -> None:
    issuer = Issuer(server, delay=0.2)

    async def main() -> None:
        async with AsyncAkmatori(server.url, **LOGIN) as client:
            first = asyncio.create_task(client.incidents.get(UUID))
            await asyncio.sleep(0.05)
            second = asyncio.create_task(client.incidents.get(UUID))
            first.cancel()
            assert (await second).uuid == UUID
            with pytest.raises(asyncio.CancelledError):
                await first

    asyncio.run(main())
    assert issuer.logins == 2


def test_a_later_call_tries_a_failed_login_again(server: Scripted, still: StillClock) -> None:
    server.on("POST", "/auth/login", *[Reply(status=503)] * 3, Reply(json={"token": "t"}))
    server.on("GET", ITEM, Reply(json=incident()))
    with Akmatori(server.url, clock=still.clock, **LOGIN) as client:
        with pytest.raises(UnavailableError):
            client.incidents.get(UUID)
        assert client.incidents.get(UUID).uuid == UUID


def test_aotanami_logs_in_at_the_same_host(server: Scripted) -> None:
    server.on("POST", "/auth/login", Reply(json={"token": "t"}))
    server.on(
        "GET",
        "/api/v1/incidents",
        Reply(json={"data": [], "metadata": {"page": 1, "pageSize": 20, "total": 0}}),
    )
    with Aotanami(server.url + "/api/v1", **LOGIN) as client:
        assert client.incidents.list().collect(5) == []
    assert server.seen[-1].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    ("reply", "lifetime"),
    [
        ({"token": "opaque", "expires_in": 120}, 120),
        ({"token": "opaque"}, 3600),
        ({"token": "opaque", "expires_in": 0}, 3600),
        ({"token": "opaque", "expires_in": "soon"}, 3600),
        ({"token": jwt({"iat": 1000, "exp": 4600}), "expires_in": 86400}, 3600),
        ({"token": jwt({"exp": 4600}), "expires_in": 60}, 60),
        ({"token": jwt({"iat": 5000, "exp": 4600}), "expires_in": 60}, 60),
        ({"token": jwt([]), "expires_in": 60}, 60),
        ({"token": "a.!.c", "expires_in": 60}, 60),
    ],
)
def test_lifetimes(reply: dict[str, Any], lifetime: float) -> None:
    assert read_login(reply) == (reply["token"], lifetime)


@pytest.mark.parametrize(
    "reply", [None, [], {}, {"token": ""}, {"token": 5}, {"token": "two words"}, {"token": "a\r\nb: c"}]
)
def test_useless_login_replies(reply: Any) -> None:
    with pytest.raises(DecodeError):
        read_login(reply)


@given(st.text())
def test_any_token_is_used_or_refused(token: str) -> None:
    with contextlib.suppress(DecodeError):
        assert read_login({"token": token})[1] > 0


def test_short_tokens_keep_a_tenth_as_margin() -> None:
    session = Session()
    session.succeeded({"token": "t", "expires_in": 10}, 0.0)
    assert session.current(8.9) == "t"
    assert session.current(9.1) is None
