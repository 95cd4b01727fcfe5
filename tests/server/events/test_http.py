"""The stream over HTTP: what crosses the wire, who may listen, and that nobody else is kept from anything."""

from __future__ import annotations

import socket
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from akmatori_sdk import Akmatori, UnavailableError
from akmatori_sdk._core.options import RetryPolicy
from akmatori_server.http.call import Scope
from tests.support.databases import KINDS, copied_database
from tests.support.site import Site, running_site

STREAMS = 101


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """A running server that serves so many streams and no more."""
    directory = tmp_path_factory.mktemp("server")
    with (
        copied_database(request.param, directory, request) as url,
        running_site(url, directory, event_streams=STREAMS) as site,
    ):
        yield site


@pytest.fixture(scope="module")
def reader(server: Site) -> Generator[httpx.Client]:
    """Somebody who may read and nothing else."""
    with server.client(server.key(Scope.READ, "reader")) as client:
        yield client


@contextmanager
def lines_of(
    client: httpx.Client, params: dict[str, str] | None = None, headers: dict[str, str] | None = None
) -> Generator[Iterator[str]]:
    """Listen for incidents that are opened, and yield the lines as they come."""
    asked = {"kind": "incident.opened", **(params or {})}
    with client.stream("GET", "/api/events", params=asked, headers=headers) as response:
        assert response.status_code == 200
        yield response.iter_lines()


def block(lines: Iterator[str]) -> list[str]:
    """Return the lines up to the next empty one."""
    found: list[str] = []
    while line := next(lines):
        found.append(line)
    return found


def place_of(lines: Iterator[str]) -> int:
    """Return the id of the next block."""
    return next(int(line.removeprefix("id: ")) for line in block(lines) if line.startswith("id: "))


def open_incident(server: Site) -> str:
    """Open one, and return its identifier."""
    with server.client(server.key(Scope.WRITE)) as client:
        uuid: str = client.post("/api/incidents", json={"task": "Why?"}).json()["uuid"]
        return uuid


def test_what_crosses_the_wire(server: Site, reader: httpx.Client) -> None:
    """First where to resume, then each event at once."""
    with reader.stream("GET", "/api/events", params={"kind": "incident.opened"}) as response:
        lines = response.iter_lines()
        first = block(lines)
        uuid = open_incident(server)
        told = block(lines)
    place = first[-1]

    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "content-length" not in response.headers
    assert first[:2] == [": ", "retry: 1000"]
    assert place.startswith("id: ")
    number = int(told[0].removeprefix("id: "))
    assert number > int(place.removeprefix("id: "))
    assert told[1] == "event: incident.opened"
    assert told[2].startswith(f'data: {{"id":"{number}","kind":"incident.opened","incident_uuid":"{uuid}"')


def test_the_header_of_a_browser_wins_over_the_address(server: Site, reader: httpx.Client) -> None:
    """It is newer: the address is the one it began with."""
    with lines_of(reader) as lines:
        begin = place_of(lines)
        open_incident(server)
        first = place_of(lines)
        open_incident(server)
        second = place_of(lines)
    asked = {"last_event_id": str(begin)}

    assert begin < first < second
    with lines_of(reader, asked) as lines:
        assert [place_of(lines), place_of(lines)] == [first, second]
    with lines_of(reader, asked, {"Last-Event-ID": str(first)}) as lines:
        assert place_of(lines) == second


def test_who_comes_from_elsewhere_is_told_to_begin_anew(reader: httpx.Client) -> None:
    """With an event of its own."""
    with lines_of(reader, headers={"Last-Event-ID": "999999999"}) as lines:
        told = block(lines)
    assert told[2] == "event: reset"
    assert '"kind":"reset"' in told[3]


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("last_event_id=x", {}),
        ("last_event_id=-1", {}),
        ("last_event_id=", {}),
        ("last_event_id=1234567890123456789", {}),
        ("incident=x", {}),
        ("kind=unknown", {}),
        ("", {"Last-Event-ID": "1e3"}),
    ],
)
def test_what_cannot_be_meant_is_refused(reader: httpx.Client, query: str, headers: dict[str, str]) -> None:
    """Before anything is sent."""
    answer = reader.get(f"/api/events?{query}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_nobody_listens_without_a_credential(server: Site) -> None:
    """Events tell what the reads tell."""
    with server.client() as client:
        assert client.get("/api/events").status_code == 401


def test_only_the_headers_are_sent_to_who_asks_for_them(reader: httpx.Client) -> None:
    """A HEAD has an end."""
    answer = reader.head("/api/events")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_hundred_streams_keep_nobody_from_anything(server: Site, reader: httpx.Client) -> None:
    """The API answers; every stream hears; the one beyond the limit is told to come back, and may."""
    key = server.key(Scope.READ, "many")
    with ExitStack() as stack:
        client = stack.enter_context(
            httpx.Client(
                base_url=server.base_url,
                headers={"Authorization": f"Bearer {key}"},
                limits=httpx.Limits(max_connections=STREAMS),
                timeout=20,
            )
        )
        streams = [stack.enter_context(lines_of(client)) for _ in range(STREAMS)]
        begun = time.monotonic()
        for _ in range(20):
            assert reader.get("/api/incidents").status_code == 200
        assert time.monotonic() - begun < 5
        refused = reader.get("/api/events")
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
        assert refused.headers["retry-after"] == "10"
        with (
            Akmatori(server.base_url, api_key=key, retry=RetryPolicy.none()) as other,
            pytest.raises(UnavailableError),
        ):
            other.events.stream().connect()
        uuid = open_incident(server)
        for lines in streams:
            block(lines)
            assert uuid in block(lines)[-1]

    deadline = time.monotonic() + 5
    while (answer := _status_of_a_stream(reader)) == 503 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert answer == 200


def _status_of_a_stream(client: httpx.Client) -> int:
    with client.stream("GET", "/api/events") as response:
        return response.status_code


def test_a_reader_that_hangs_up_is_noticed(server: Site) -> None:
    """Its place is free at once, though nothing is sent."""
    host, _, port = server.base_url.removeprefix("http://").partition(":")
    key = server.key(Scope.READ)
    request = f"GET /api/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n".encode()

    def listen() -> tuple[socket.socket, bytes]:
        connection = socket.create_connection((host, int(port)), timeout=5)
        connection.sendall(request)
        head = connection.recv(15)
        return connection, head

    # Far more than there are places: each comes after the one before has gone.
    for _ in range(STREAMS + 5):
        connection, head = listen()
        connection.close()
        while head != b"HTTP/1.1 200 OK":
            time.sleep(0.02)
            connection, head = listen()
            connection.close()


def test_an_investigation_is_told_and_a_server_stops_though_somebody_listens(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Opened, taken, its log written, over; and then a proper end."""
    with ExitStack() as stack:
        url = stack.enter_context(copied_database("sqlite", tmp_path, request))
        with running_site(url, tmp_path) as site:
            client = stack.enter_context(site.client(site.key(Scope.READ)))
            response = stack.enter_context(client.stream("GET", "/api/events"))
            lines = response.iter_lines()
            block(lines)
            uuid = open_incident(site)
            kinds: list[str] = []
            while "incident.completed" not in kinds:
                told = block(lines)
                assert uuid in told[-1]
                kinds.append(told[1].removeprefix("event: "))
            begun = time.monotonic()
        assert kinds[:2] == ["incident.opened", "incident.updated"]
        assert set(kinds[2:-1]) == {"incident.updated"}
        assert time.monotonic() - begun < 3
        assert list(lines) == []
