"""Sending requests, to a real server on loopback."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from akmatori_server.outgoing.client import Client
from akmatori_server.outgoing.errors import AddressRefusedError, OutgoingError, Reason
from akmatori_server.outgoing.models import OutgoingAnswer, OutgoingRequest
from akmatori_server.outgoing.policy import Policy, parsed_networks
from akmatori_server.settings.route import Proxy
from tests.support.forward_proxy import forward_proxy
from tests.support.origin import Asked, Origin, Reply, running_origin
from tests.support.tls import authority_and_server

HERE = Policy(parsed_networks(["127.0.0.0/8"]))
SECRET = "t0k3n-secret"


@pytest.fixture
def origin() -> Generator[Origin]:
    """A server that may be asked."""
    with running_origin() as running:
        yield running


def to_here(_host: str, _port: int) -> list[str]:
    """Find every name on this machine."""
    return ["127.0.0.1"]


def send(url: str, *, client: dict[str, Any] | None = None, **members: Any) -> OutgoingAnswer:
    """Send one request."""

    async def main() -> OutgoingAnswer:
        async with Client(**{"policy": HERE, "resolver": to_here, **(client or {})}) as sender:
            return await sender.send(OutgoingRequest(url=url, **{"timeout_seconds": 10, **members}))

    return asyncio.run(main())


def refusal(url: str, **members: Any) -> OutgoingError:
    """Send one request that fails."""
    with pytest.raises(OutgoingError) as caught:
        send(url, **members)
    return caught.value


def test_what_is_sent_is_what_was_asked_for(origin: Origin) -> None:
    """By name, to the checked address; escapes stay, and letters get theirs."""
    headers = {"Authorization": f"Bearer {SECRET}", "X-Team": "ops"}
    url = f"http://api.example:{origin.server_port}/a%2Fb/ü?q=1%262&r=ö"
    answer = send(url, method="POST", headers=headers, body=b'{"a":1}')

    assert (answer.status, answer.json(), answer.is_truncated) == (200, {}, False)
    [asked] = origin.asked
    assert (asked.method, asked.target) == ("POST", "/a%2Fb/%C3%BC?q=1%262&r=%C3%B6")
    assert asked.headers["host"] == f"api.example:{origin.server_port}"
    assert (asked.headers["authorization"], asked.headers["x-team"]) == (f"Bearer {SECRET}", "ops")
    assert asked.json == {"a": 1}


def test_a_connection_is_used_again(origin: Origin) -> None:
    """Within one client."""

    async def main() -> None:
        async with Client(policy=HERE) as client:
            for _ in range(3):
                await client.send(OutgoingRequest(url=origin.url + "/"))

    asyncio.run(main())
    assert len({asked.client for asked in origin.asked}) == 1


def test_names_that_change_their_answer_are_pinned(origin: Origin) -> None:
    """What was checked is what is connected to; another connection is checked anew."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    url = f"http://rebinding.example:{origin.server_port}/"

    async def main() -> None:
        async with Client(policy=HERE, resolver=lambda _host, _port: next(answers)) as client:
            assert (await client.send(OutgoingRequest(url=url))).status == 200
            # On the connection that is open.
            assert (await client.send(OutgoingRequest(url=url))).status == 200
            with pytest.raises(AddressRefusedError, match="never called"):
                await client.send(OutgoingRequest(url=url.replace("rebinding", "other")))

    asyncio.run(main())
    assert len(origin.asked) == 2


def test_the_second_address_is_tried_where_the_first_does_not_answer(origin: Origin) -> None:
    """Both were checked."""
    answer = send(
        f"http://two.example:{origin.server_port}/",
        client={"resolver": lambda _host, _port: ["127.9.9.9", "127.0.0.1"]},
    )
    assert answer.status == 200


def test_redirects_keep_credentials_at_home(origin: Origin) -> None:
    """Of reads only; to another origin goes nothing but what anybody may see."""
    with running_origin() as other:
        moves = {"/away": f"{other.url}/there", "/near": "/here#part", "/post": "/here"}

        def reply(asked: Asked) -> Reply:
            place = moves.get(asked.path)
            return Reply() if place is None else Reply({}, 302, {"Location": place})

        origin.reply = reply
        headers = {"Authorization": SECRET, "X-API-Key": SECRET, "Cookie": SECRET, "Accept": "text/plain"}
        near = send(origin.url + "/near", headers=headers)
        away = send(origin.url + "/away", headers=headers)
        post = send(origin.url + "/post", method="POST", headers=headers, body=b"x")
        kept = send(origin.url + "/near", headers=headers, follow_redirects=False)

    assert (near.status, near.url) == (200, f"{origin.url}/here")
    assert origin.asked[1].headers["x-api-key"] == SECRET
    assert (away.status, away.url) == (200, f"{other.url}/there")
    assert other.asked[0].headers["accept"] == "text/plain"
    assert SECRET not in str(other.asked)
    assert (post.status, kept.status) == (302, 302)


def test_redirects_end(origin: Origin) -> None:
    """After the fifth."""
    origin.reply = lambda asked: Reply({}, 307, {"Location": f"/{int(asked.path[1:] or 0) + 1}"})
    error = refusal(origin.url + "/0")

    assert error.reason is Reason.PROTOCOL
    assert "more than 5 times" in str(error)
    assert len(origin.asked) == 6


def _endless() -> Iterator[bytes]:
    while True:
        yield b"x" * 65536


def _slowly() -> Iterator[bytes]:
    for _ in range(200):
        time.sleep(0.05)
        yield b"."


def test_an_answer_without_end_is_cut(origin: Origin) -> None:
    """Without reading on."""
    origin.reply = lambda _asked: Reply(_endless())
    answer = send(origin.url, most_bytes=100_000)

    assert (len(answer.body), answer.is_truncated) == (100_000, True)


def test_an_answer_that_trickles_is_given_up(origin: Origin) -> None:
    """There is one limit of time for everything."""
    origin.reply = lambda _asked: Reply(_slowly())
    started = time.monotonic()
    error = refusal(origin.url, timeout_seconds=0.3)

    assert error.reason is Reason.TIMEOUT
    assert str(error) == f"127.0.0.1 port {origin.server_port} did not answer within 0.3 seconds."
    assert time.monotonic() - started < 2


def test_compression_is_undone_up_to_the_limit(origin: Origin) -> None:
    """A bomb costs no more memory than the limit, in whatever way it is packed."""
    bare = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = {
        "gzip": gzip.compress(b"hello " * 1000) + gzip.compress(b"again"),
        "deflate": zlib.compress(b"hello " * 1000 + b"again"),
        "Deflate ": bare.compress(b"hello " * 1000 + b"again") + bare.flush(),
    }
    for encoding, content in packed.items():
        origin.reply = lambda _asked, content=content, encoding=encoding: Reply(
            content, headers={"Content-Encoding": encoding}
        )
        assert send(origin.url).body == b"hello " * 1000 + b"again"

    bomb = gzip.compress(bytes(20 * 1024 * 1024))
    origin.reply = lambda _asked: Reply(bomb, headers={"Content-Encoding": "gzip"})
    answer = send(origin.url, most_bytes=1000)
    assert (len(answer.body), answer.is_truncated) == (1000, True)

    nothing = gzip.compress(b"")
    origin.reply = lambda _asked: Reply(nothing * 10_000, headers={"Content-Encoding": "gzip"})
    assert send(origin.url, most_bytes=1000).is_truncated

    for encoding, content in (
        ("br", b"x"),
        ("gzip, gzip", b"x"),
        ("gzip", b"no gzip"),
        ("gzip", packed["gzip"][:40] + b"\0" * 99),
    ):
        origin.reply = lambda _asked, content=content, encoding=encoding: Reply(
            content, headers={"Content-Encoding": encoding}
        )
        assert refusal(origin.url).reason is Reason.PROTOCOL


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        ({"X": "a\r\nHost: evil"}, "GET"),
        ({"X": "a\x00"}, "GET"),
        ({"X": "ü"}, "GET"),
        ({"X: y\r\nZ": "a"}, "GET"),
        ({"": "a"}, "GET"),
        ({"Host": "evil"}, "GET"),
        ({"Transfer-Encoding": "chunked"}, "POST"),
        ({"content-length": "5"}, "POST"),
        ({}, "CONNECT"),
        ({}, "GET / HTTP/1.1\r\nX: y\r\n\r\nGET"),
    ],
)
def test_one_request_cannot_become_two(origin: Origin, headers: dict[str, str], method: str) -> None:
    """Nothing is sent."""
    assert refusal(origin.url, headers=headers, method=method).reason is Reason.REFUSED
    assert origin.asked == []


def test_the_environment_has_no_say(origin: Origin, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Neither a proxy nor a login comes from there."""
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login ann password {SECRET}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert send(origin.url).status == 200
    assert "authorization" not in origin.asked[0].headers


def test_a_proxy_gets_the_name_and_its_own_password_only(origin: Origin) -> None:
    """And is chosen for each URL."""
    with forward_proxy() as proxy:
        route = Proxy(f"http://ann:p%40ss@127.0.0.1:{proxy.port}")

        def by_path(url: str) -> Proxy | None:
            return None if url.endswith("/direct") else route

        base = f"http://api.example:{origin.server_port}"
        assert send(base + "/direct", client={"route": by_path}).status == 200
        assert proxy.passed == []
        assert send(base + "/far", client={"route": by_path}).status == 200

    [passed] = proxy.passed
    assert passed.target == f"{base}/far"
    assert passed.headers["proxy-authorization"].startswith("Basic ")
    assert "proxy-authorization" not in origin.asked[-1].headers


def test_certificates_are_checked(origin: Origin) -> None:
    """By the system's authorities, or by one that is given, or not at all where that is said."""
    pem, context = authority_and_server("secure.example")
    origin.socket = context.wrap_socket(origin.socket, server_side=True)
    url = f"https://secure.example:{origin.server_port}/"

    error = refusal(url)
    assert error.reason is Reason.TLS
    assert "certificate" in str(error)
    assert send(url, client={"verify_tls": False}).status == 200
    assert send(url, client={"ca_pem": pem}).status == 200
    wrong_name = refusal(url.replace("secure", "other"), client={"ca_pem": pem})
    assert wrong_name.reason is Reason.TLS
    with pytest.raises(ValueError, match="not a certificate in PEM form"):
        Client(ca_pem="no certificate")


def test_what_does_not_answer_is_a_sentence() -> None:
    """With the words of the operating system."""
    error = refusal("http://closed.example:1/")
    assert (error.reason, str(error)) == (
        Reason.CONNECTION,
        "No connection to closed.example port 1: Connection refused.",
    )
    assert SECRET not in repr(OutgoingRequest(url=f"http://x/?k={SECRET}", headers={"A": SECRET}))
