"""Nothing of a corpus of hostile URLs gets a connection: not asked for, not by a redirect, not through a proxy."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from akmatori_server.outgoing.client import Client
from akmatori_server.outgoing.errors import AddressRefusedError, OutgoingError
from akmatori_server.outgoing.guard import resolve_checked
from akmatori_server.outgoing.models import OutgoingRequest
from akmatori_server.outgoing.policy import Policy, parsed_networks
from akmatori_server.settings.route import Proxy
from tests.server.outgoing.corpus import PUBLIC, Hostile, read_corpus
from tests.support.origin import Reply, running_origin

CORPUS = read_corpus()


class Connections:
    """Every attempt to connect; none but those to allowed ports gets through."""

    def __init__(self) -> None:
        self.attempts: list[object] = []
        self.allowed: set[int] = set()


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    """Watch what sockets connect to."""
    seen = Connections()

    def watched(name: str) -> None:
        real = getattr(socket.socket, name)

        def connect(self: socket.socket, address: Any) -> Any:
            if isinstance(address, tuple) and address[0] == "127.0.0.1" and address[1] in seen.allowed:
                return real(self, address)
            seen.attempts.append(address)
            raise ConnectionRefusedError(111, "not in a test")

        monkeypatch.setattr(socket.socket, name, connect)

    watched("connect")
    watched("connect_ex")
    return seen


async def attempt(client: Client, url: str) -> str | None:
    """Return why a URL was refused; None when it was not."""
    try:
        await client.send(OutgoingRequest(url=url, timeout_seconds=5))
    except AddressRefusedError as refused:
        return str(refused)
    except OutgoingError:
        return None
    return None


def _leads_away(entry: Hostile) -> bool:
    """Whether a server on 127.0.0.1 can send it in a header, and it leads elsewhere."""
    if (
        entry.url != entry.url.strip()
        or not entry.url.isascii()
        or not entry.url.isprintable()
        or "://" not in entry.url
    ):
        return False
    own = ("127.0.0.1", "7f00:0001", "http:///", "http://?", "http://#")
    return not any(form in f"{entry.url} {entry.addresses}" for form in own) and entry.url != "http://"


def test_the_corpus_is_large() -> None:
    """And of every family there is more than one."""
    families = Counter(entry.family for entry in CORPUS)
    assert len(CORPUS) >= 300
    assert len(families) >= 12
    assert min(families.values()) > 4


def test_the_watch_sees_a_connection(connections: Connections) -> None:
    """Else what follows would prove nothing."""

    async def main() -> None:
        for url in (f"http://{PUBLIC}/", "https://example.com/", "http://[2606:4700::1111]:8080/"):
            async with Client(resolver=lambda _host, _port: [PUBLIC]) as client:
                assert await attempt(client, url) is None

    asyncio.run(main())
    assert [address[0] for address in connections.attempts if isinstance(address, tuple)] == [
        PUBLIC,
        PUBLIC,
        "2606:4700::1111",
    ]


def test_no_hostile_url_opens_a_socket(connections: Connections) -> None:
    """Each is refused with one sentence, which repeats no password."""

    async def main() -> list[str]:
        through: list[str] = []
        for entry in CORPUS:
            async with Client(resolver=entry.look_up) as client:
                sentence = await attempt(client, entry.url)
            if sentence is None or not sentence.endswith(".") or "pass@" in sentence or "\n" in sentence:
                through.append(f"{entry.family}: {entry.url[:80]!r}: {sentence}")
        return through

    assert asyncio.run(main()) == []
    assert connections.attempts == []


def test_no_redirect_leads_there(connections: Connections) -> None:
    """From a server that may be asked; what leads back to that server's own paths is no harm."""
    # A third of them, of every family: each is a request to a server.
    leading_away = [entry for entry in CORPUS if _leads_away(entry)][::3]
    with running_origin() as origin:
        connections.allowed.add(origin.server_port)
        here = Policy(parsed_networks(["127.0.0.1/32"]))

        async def main() -> None:
            current = leading_away[0]
            async with Client(policy=here, resolver=lambda host, port: current.look_up(host, port)) as client:
                for current in leading_away:
                    headers = {"Location": current.url}
                    origin.reply = lambda _asked, headers=headers: Reply({}, 302, headers)
                    assert await attempt(client, origin.url + "/") is not None, current.url

        asyncio.run(main())
    assert len(origin.asked) == len(leading_away) > 100
    assert connections.attempts == []


def test_a_proxy_is_no_way_round(connections: Connections) -> None:
    """It is not even asked."""

    async def main() -> None:
        for entry in CORPUS:
            route = Proxy("http://127.0.0.1:3128")
            async with Client(resolver=entry.look_up, route=lambda _url, route=route: route) as client:
                assert await attempt(client, entry.url) is not None, entry.url[:80]

    asyncio.run(main())
    assert connections.attempts == []


def test_hosts_of_other_protocols_are_checked_alike() -> None:
    """What ssh and databases connect to goes by the same rules."""

    async def checked(host: str, *answers: str, policy: Policy | None = None) -> str:
        def look_up(_host: str, _port: int) -> Sequence[str]:
            return answers

        return await resolve_checked(host, 22, policy or Policy(), resolver=look_up)

    assert asyncio.run(checked("db.example.net", PUBLIC)) == PUBLIC
    for host, answer in (
        ("db", "10.0.0.1"),
        ("10.0.0.1", PUBLIC),
        ("0x7f.1", PUBLIC),
        ("2130706433", PUBLIC),
        ("::1", PUBLIC),
        ("fe80::1%eth0", PUBLIC),
        ("metadata.google.internal", PUBLIC),
        ("a b", PUBLIC),
        ("-oProxyCommand=id", PUBLIC),
        ("", PUBLIC),
    ):
        with pytest.raises(AddressRefusedError):
            asyncio.run(checked(host, answer))
