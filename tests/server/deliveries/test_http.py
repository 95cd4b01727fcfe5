"""Seeing and replaying deliveries over HTTP and with the SDK, on both databases."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from akmatori_sdk import Akmatori
from akmatori_server.alert_sources.models import AlertSource, NewAlertSource
from akmatori_server.alert_sources.service import AlertSourceService
from akmatori_server.deliveries.room import LONGEST_BODY
from akmatori_server.http.call import Scope
from tests.server.deliveries.depot import UNKNOWN
from tests.support.site import Site

SECRET = "right-secret"


def payload(*names: str) -> bytes:
    """Return a body of Alertmanager."""
    alerts = [
        {"status": "firing", "labels": {"alertname": name}, "fingerprint": f"print-{name}"} for name in names
    ]
    return json.dumps({"version": "4", "alerts": alerts}).encode()


def add_source(site: Site, name: str, **members: Any) -> AlertSource:
    """Add a source with a secret."""
    inside = site.installation
    sources = AlertSourceService(inside.database, inside.secrets, now=inside.now)
    new = NewAlertSource(source_type_name="alertmanager", name=name, webhook_secret=SECRET, **members)
    return sources.create(new)


def send(site: Site, source: AlertSource, body: bytes, secret: str = SECRET) -> httpx.Response:
    """Deliver to the source's webhook."""
    headers = {"X-Alertmanager-Secret": secret, "Content-Type": "application/json"}
    with site.client() as client:
        return client.post(f"/webhook/alert/{source.uuid}", content=body, headers=headers)


@contextmanager
def sdk(site: Site, key: str) -> Iterator[Akmatori]:
    """The SDK with a key."""
    with Akmatori(base_url=site.base_url, api_key=key) as client:
        yield client


def path(source: AlertSource, *parts: object) -> str:
    """Return a path below the source's deliveries."""
    return "/".join([f"/api/alert-sources/{source.uuid}/deliveries", *map(str, parts)])


def test_refused_for_its_secret_seen_and_replayed(server: Site, api_key: str) -> None:
    """The whole way of an operator: look, mend, take it in; a second time changes nothing."""
    source = add_source(server, "replayed")
    body = payload("DiskFull", "DiskSlow")
    assert send(server, source, body, "wrong-secret").status_code == 401

    with sdk(server, api_key) as client:
        [listed] = client.alert_sources.deliveries.list(source.uuid)
        assert (listed.outcome, listed.status, listed.size, listed.replayable) == (
            "rejected",
            401,
            len(body),
            True,
        )
        shown = client.alert_sources.deliveries.get(source.uuid, listed.id)
        assert (shown.body, shown.body_format) == (body.decode(), "text")
        assert shown.headers["x-alertmanager-secret"] == "****"
        assert "wrong-secret" not in repr(shown.to_dict())

        first = client.alert_sources.deliveries.replay(source.uuid, listed.id)
        again = client.alert_sources.deliveries.replay(source.uuid, listed.id)
        assert (first.alerts, len(first.incidents), first.warnings) == (2, 2, [])
        assert (again.alerts, again.incidents) == (2, [])
        assert client.incidents.get(first.incidents[0]).source == "alertmanager"

        after = client.alert_sources.deliveries.get(source.uuid, listed.id)
        assert after.replayed_at is not None
        assert after.replay_result == "Received 2 alerts; 0 new incidents."
        entries = client.audit.list(target=f"delivery:{listed.id}").collect(10)
        assert [str(entry.action) for entry in entries] == ["alert_source:delivery:replayed"] * 2
        first_entry = entries[-1]
        assert first_entry.before is not None
        assert first_entry.before["replayed_at"] is None
        assert first_entry.after is not None
        assert first_entry.after["replay_result"] == "Received 2 alerts; 2 new incidents."
        assert "DiskFull" not in repr([entry.to_dict() for entry in entries])


def test_a_replay_that_is_refused_again_is_noted(server: Site, admin: httpx.Client) -> None:
    """With the sentence that the caller gets."""
    source = add_source(server, "refused again")
    assert send(server, source, b"no json").status_code == 400
    [listed] = admin.get(path(source)).json()

    answer = admin.post(path(source, listed["id"], "replay"))
    assert answer.status_code == 400
    [after] = admin.get(path(source)).json()
    assert after["replay_result"] == f"400 {answer.json()['code']}: {answer.json()['error']}"
    assert after["replayed_at"] is not None
    assert (
        admin.get("/api/audit", params={"target": f"delivery:{listed['id']}"}).json()["pagination"]["total"]
        == 1
    )


def test_lists_are_bare_or_in_pages_and_filtered(server: Site, admin: httpx.Client) -> None:
    """As every other list."""
    source = add_source(server, "listed")
    for _ in range(3):
        send(server, source, b"no json")
    bare = admin.get(path(source)).json()
    admin.post(path(source, bare[0]["id"], "replay"))

    assert [delivery["id"] for delivery in bare] == sorted((d["id"] for d in bare), reverse=True)
    page = admin.get(path(source), params={"page": 2, "per_page": 2}).json()
    assert page["pagination"] == {"page": 2, "per_page": 2, "total": 3, "total_pages": 2}
    assert [delivery["id"] for delivery in page["data"]] == [bare[2]["id"]]
    replayed = admin.get(path(source), params={"replayed": "true"}).json()
    assert [delivery["id"] for delivery in replayed] == [bare[0]["id"]]
    assert len(admin.get(path(source), params={"replayed": "false", "outcome": "rejected"}).json()) == 2
    assert admin.get(path(source), params={"outcome": "warned"}).json() == []
    assert admin.get(path(source), params={"outcome": "lost"}).status_code == 400


def test_who_may_only_read_sees_no_bodies_and_replays_nothing(server: Site) -> None:
    """Templates put passwords in bodies; headers and reasons are no secrets."""
    source = add_source(server, "read only")
    send(server, source, b'{"password": "planted"}', "wrong-secret")
    with server.client(server.key(Scope.READ)) as reader, server.client(server.key(Scope.WRITE)) as writer:
        [listed] = reader.get(path(source)).json()
        seen = reader.get(path(source, listed["id"]))
        assert (seen.json()["body"], seen.json()["body_format"]) == ("", "withheld")
        assert "planted" not in seen.text
        assert reader.post(path(source, listed["id"], "replay")).status_code == 403
        assert writer.get(path(source, listed["id"])).json()["body"] == '{"password": "planted"}'
    with server.client() as anonymous:
        assert anonymous.get(path(source)).status_code == 401


def test_bodies_that_are_no_text(server: Site, admin: httpx.Client) -> None:
    """Are in Base64; one that is cut off inside a character is text all the same."""
    source = add_source(server, "bytes")
    send(server, source, b"\xff\xfe\x00")
    send(server, source, "é".encode() * LONGEST_BODY)
    send(server, source, b"x" + "é".encode() * LONGEST_BODY)
    cut, whole, data = (admin.get(path(source, d["id"])).json() for d in admin.get(path(source)).json())

    assert (data["body"], data["body_format"]) == (base64.b64encode(b"\xff\xfe\x00").decode(), "base64")
    assert (whole["body"], whole["body_format"]) == ("é" * (LONGEST_BODY // 2), "text")
    assert (cut["body"], cut["body_format"]) == ("x" + "é" * (LONGEST_BODY // 2 - 1), "text")
    assert (cut["size"], cut["kept"], cut["replayable"]) == (2 * LONGEST_BODY + 1, LONGEST_BODY, False)
    refused = admin.post(path(source, cut["id"], "replay"))
    assert refused.status_code == 409
    assert f"Only {LONGEST_BODY} of the {2 * LONGEST_BODY + 1} bytes" in refused.json()["error"]


def refused_unread(site: Site, uuid: str, size: int | None) -> int:
    """Announce a body of this size, or send one of 11 MiB without a word about it; return the status."""
    address = urlsplit(site.base_url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=20)
    with closing(connection):
        connection.putrequest("POST", f"/webhook/alert/{uuid}")
        if size is None:
            connection.putheader("Transfer-Encoding", "chunked")
        else:
            connection.putheader("Content-Length", str(size))
        connection.endheaders()
        # Beyond its limit the server reads no further: it answers, and may close before all is written.
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(0 if size else 11):
                connection.send(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
        return connection.getresponse().status


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_too_large_to_be_read_is_seen_too(server: Site, admin: httpx.Client, announced: bool) -> None:
    """Whether its sender says how long it is, or just goes on; it cannot be replayed."""
    source = add_source(server, f"too large {announced}")
    size = 11 * 1024 * 1024
    assert refused_unread(server, source.uuid, size if announced else None) == 413

    [listed] = admin.get(path(source)).json()
    assert (listed["status"], listed["reason"], listed["kept"]) == (413, "too_large", 0)
    assert listed["size"] == (size if announced else 10 * 1024 * 1024 + 1)
    shown = admin.get(path(source, listed["id"])).json()
    assert (shown["body"], shown["body_format"], shown["replayable"]) == ("", "missing", False)
    refused = admin.post(path(source, listed["id"], "replay"))
    assert refused.status_code == 409
    assert "not kept" in refused.json()["error"]


def test_a_body_too_large_for_nobody(server: Site) -> None:
    """Where there is no source the answer is the same, and nothing breaks."""
    for uuid in (UNKNOWN, "nonsense"):
        assert refused_unread(server, uuid, 10**12) == 413


def test_deliveries_of_others_are_not_there(server: Site, admin: httpx.Client) -> None:
    """Under another source, under none, and by a number nobody has."""
    source, other = add_source(server, "mine"), add_source(server, "other")
    send(server, source, b"no json")
    [listed] = admin.get(path(source)).json()

    for wrong in (path(other, listed["id"]), path(source, 9007199254740991)):
        assert admin.get(wrong).status_code == 404
        assert admin.post(f"{wrong}/replay").status_code == 404
    assert admin.get(f"/api/alert-sources/{UNKNOWN}/deliveries").status_code == 404


def test_above_its_rate_limit_a_source_is_told_to_wait(server: Site, admin: httpx.Client) -> None:
    """503 for Alertmanager, which gives up on a 4xx; what was refused can be taken in at once."""
    source = add_source(server, "limited", settings={"rate_limit_per_minute": 1})
    answers = [send(server, source, payload()) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [200] * 10 + [503]
    assert answers[-1].json()["code"] == "rate_limited"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    [listed] = admin.get(path(source), params={"outcome": "rejected"}).json()
    assert (listed["reason"], listed["replayable"]) == ("rate_limited", True)
    assert admin.post(path(source, listed["id"], "replay")).status_code == 200
