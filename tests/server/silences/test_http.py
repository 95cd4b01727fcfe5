"""Silences over HTTP: what a client of the real server sends and gets, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from akmatori_sdk import Akmatori
from akmatori_server.alerts.tables import alerts
from akmatori_server.events.tables import events
from akmatori_server.silences.tables import silences
from tests.support.site import PASSWORD, Site

PATH = "/api/silences"
BODY: dict[str, Any] = {"matchers": ['alertname="DiskFull"'], "comment": "planned", "duration_seconds": 3600}


def made(client: httpx.Client, **changes: object) -> dict[str, Any]:
    """Create a silence and return it."""
    answer = client.post(PATH, json={**BODY, **changes})
    assert answer.status_code == 201, answer.text
    silence: dict[str, Any] = answer.json()
    return silence


def end(server: Site, silence: dict[str, Any]) -> None:
    """Let the silence be over, as if its time had passed."""
    now = datetime.now(UTC)
    times = {"starts_at": now - timedelta(hours=2), "ends_at": now - timedelta(hours=1)}
    with server.installation.database.write() as connection:
        connection.execute(sa.update(silences).where(silences.c.uuid == silence["uuid"]).values(times))


def test_the_life_of_a_silence(admin: httpx.Client) -> None:
    """Created, read, extended, ended; it stays readable."""
    created = admin.post(
        PATH,
        json={
            "matchers": ['alertname="DiskFull"', {"name": "host", "operator": "=~", "value": "db-.*"}],
            "comment": " Disks are moved. ",
            "duration_seconds": 3600,
        },
    )
    silence = created.json()
    path = f"{PATH}/{silence['uuid']}"
    read = admin.get(path)
    later = (datetime.fromisoformat(silence["ends_at"]) + timedelta(hours=1)).isoformat()
    extended = admin.put(path, json={"ends_at": later}, headers={"If-Match": read.headers["ETag"]})
    stale = admin.put(path, json={"comment": "x"}, headers={"If-Match": read.headers["ETag"]})
    ended, again = admin.delete(path), admin.delete(path)
    over = admin.get(path).json()

    assert created.status_code == 201
    assert silence["matchers"] == [
        {"name": "alertname", "operator": "=", "value": "DiskFull"},
        {"name": "host", "operator": "=~", "value": "db-.*"},
    ]
    assert (silence["state"], silence["created_by"], silence["silenced_count"]) == ("active", "admin", 0)
    assert silence["comment"] == "Disks are moved."
    assert (read.json(), read.headers["ETag"]) == (silence, created.headers["ETag"])
    assert extended.status_code == 200
    assert datetime.fromisoformat(extended.json()["ends_at"]) == datetime.fromisoformat(later)
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_write")
    assert (ended.status_code, ended.content, again.status_code) == (204, b"", 204)
    assert over["state"] == "expired"
    assert over["ends_at"] == over["updated_at"]


def test_everything_that_was_read_can_be_sent_back(admin: httpx.Client) -> None:
    silence = made(admin)
    form = {name: silence[name] for name in ("matchers", "starts_at", "ends_at", "comment")}
    changed = admin.put(f"{PATH}/{silence['uuid']}", json=form)

    assert changed.status_code == 200
    assert {**changed.json(), "updated_at": silence["updated_at"]} == silence


def test_null_keeps_what_is_stored(admin: httpx.Client) -> None:
    silence = made(admin)
    nothing = dict.fromkeys(("matchers", "starts_at", "ends_at", "duration_seconds", "comment"))
    changed = admin.put(f"{PATH}/{silence['uuid']}", json=nothing).json()

    assert {**changed, "updated_at": silence["updated_at"]} == silence


def test_a_list_by_state(server: Site, admin: httpx.Client) -> None:
    """Bare, or in pages; the newest first; what is listed as active is active."""
    over, active = made(admin, comment="over"), made(admin, comment="active")
    begin = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    pending = made(admin, comment="pending", starts_at=begin)
    end(server, over)

    def listed(**wanted: str) -> list[str]:
        answer = admin.get(PATH, params=wanted).json()
        assert isinstance(answer, list)
        assert not wanted or {one["state"] for one in answer} == {wanted["state"]}
        return [one["uuid"] for one in answer]

    assert listed()[:3] == [pending["uuid"], active["uuid"], over["uuid"]]
    assert pending["uuid"] in listed(state="pending")
    assert active["uuid"] in listed(state="active")
    assert over["uuid"] in listed(state="expired")
    assert sorted(listed()) == sorted(
        one for state in ("pending", "active", "expired") for one in listed(state=state)
    )
    page = admin.get(PATH, params={"state": "active", "per_page": 1, "page": 2}).json()
    assert [one["uuid"] for one in page["data"]] == listed(state="active")[1:2]
    assert page["pagination"]["total"] == len(listed(state="active"))
    assert admin.get(PATH, params={"page": 1_000_000}).json()["data"] == []
    assert admin.get(PATH, params={"state": "over"}).status_code == 400


def test_it_shows_how_many_alerts_it_holds(server: Site, admin: httpx.Client) -> None:
    silence = made(admin)
    version = admin.get(f"{PATH}/{silence['uuid']}").headers["ETag"]
    now = datetime.now(UTC)
    row = {
        "alert_name": "DiskFull",
        "severity": "high",
        "payload": {},
        "first_seen_at": now,
        "last_seen_at": now,
    }
    with server.installation.database.write() as connection:
        number = sa.select(silences.c.id).where(silences.c.uuid == silence["uuid"]).scalar_subquery()
        for name, status in (("a", "firing"), ("b", "firing"), ("c", "resolved")):
            values = {
                "uuid": f"{name}-held",
                "fingerprint": name,
                "status": status,
                "silence_id": number,
                **row,
            }
            connection.execute(sa.insert(alerts).values(values))

    assert admin.get(f"{PATH}/{silence['uuid']}").json()["silenced_count"] == 2
    assert [one["silenced_count"] for one in admin.get(PATH).json() if one["uuid"] == silence["uuid"]] == [2]
    # The version is that of what is written: an alert that comes does not refuse the author's next change.
    assert admin.get(f"{PATH}/{silence['uuid']}").headers["ETag"] == version


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"matchers": []}, "matchers"),
        ({"matchers": ["alertname"]}, "matchers[0]"),
        ({"matchers": ["a=b", 'c=~"("']}, "matchers[1]"),
        ({"matchers": ["a=~.*"]}, "matchers"),
        ({"matchers": [{"name": "a", "operator": "<", "value": "b"}]}, "matchers"),
        ({"matchers": [{"name": "a", "operator": "="}]}, "matchers"),
        ({"matchers": "a=b"}, "matchers"),
        ({"comment": " "}, "comment"),
        ({"comment": None}, "comment"),
        ({"ends_at": "2020-01-01T00:00:00Z", "duration_seconds": None}, "ends_at"),
        ({"ends_at": "tomorrow", "duration_seconds": None}, "ends_at"),
        ({"duration_seconds": None}, "ends_at"),
        ({"duration_seconds": 0}, "duration_seconds"),
        ({"duration_seconds": 31622401}, "duration_seconds"),
        ({"starts_at": "9999-12-31T23:59:59-14:00"}, "starts_at"),
        ({"created_by": "somebody else"}, "created_by"),
    ],
)
def test_what_breaks_a_rule_is_refused_in_a_sentence(
    admin: httpx.Client, changes: dict[str, object], place: str
) -> None:
    answer = admin.post(PATH, json={**BODY, **changes})

    assert answer.status_code == 400
    assert place in answer.json()["error"]
    assert answer.json()["error"].endswith((".", "details."))


def test_one_that_is_over_cannot_be_changed(server: Site, admin: httpx.Client) -> None:
    silence = made(admin)
    end(server, silence)
    answer = admin.put(f"{PATH}/{silence['uuid']}", json={"duration_seconds": 60})

    assert (answer.status_code, answer.json()["code"]) == (409, "silence_over")
    assert admin.delete(f"{PATH}/{silence['uuid']}").status_code == 204


def test_one_that_has_not_begun_can_be_moved_and_removed(admin: httpx.Client) -> None:
    begin = datetime.now(UTC) + timedelta(days=1)
    silence = made(admin, starts_at=begin.isoformat())
    path = f"{PATH}/{silence['uuid']}"
    moved = admin.put(
        path, json={"starts_at": (begin + timedelta(days=1)).isoformat(), "duration_seconds": 7200}
    ).json()
    removed = admin.delete(path)
    over = admin.get(path).json()

    assert moved["state"] == "pending"
    assert datetime.fromisoformat(moved["ends_at"]) == begin + timedelta(days=1, hours=2)
    assert removed.status_code == 204
    assert (over["state"], over["starts_at"]) == ("expired", over["ends_at"])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_silence_is_404(admin: httpx.Client, method: str) -> None:
    unknown = f"{PATH}/0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77"
    assert admin.request(method, unknown, json={} if method == "PUT" else None).status_code == 404


def test_a_repeat_under_one_key_is_one_silence(server: Site, admin: httpx.Client) -> None:
    headers = {"Idempotency-Key": "silence-once"}
    first, second = (admin.post(PATH, json=BODY, headers=headers) for _repeat in range(2))
    other = admin.post(PATH, json={**BODY, "comment": "other"}, headers=headers)

    assert (first.status_code, second.status_code, other.status_code) == (201, 201, 409)
    assert first.json() == second.json()
    assert first.headers["ETag"] == second.headers["ETag"]
    assert _told(server, first.json()["uuid"]) == ["silence.created"]


def test_of_two_writers_who_read_the_same_one_is_refused(admin: httpx.Client) -> None:
    silence = made(admin)
    path = f"{PATH}/{silence['uuid']}"
    version = admin.get(path).headers["ETag"]

    def write(comment: str) -> int:
        return admin.put(path, json={"comment": comment}, headers={"If-Match": version}).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(write, ["one", "two"]))

    assert answers == [200, 409]
    assert admin.get(path).json()["comment"] in {"one", "two"}


def test_a_reader_may_read_and_not_write(server: Site, admin: httpx.Client) -> None:
    from akmatori_server.http.call import Scope

    silence = made(admin)
    with server.client(server.key(Scope.READ)) as reader:
        assert reader.get(PATH).status_code == 200
        assert reader.post(PATH, json=BODY).status_code == 403
        assert reader.delete(f"{PATH}/{silence['uuid']}").status_code == 403
    with server.client() as nobody:
        assert nobody.get(PATH).status_code == 401


def test_the_author_is_the_caller(server: Site) -> None:
    from akmatori_server.http.call import Scope

    with server.client(server.key(Scope.WRITE, "deploy")) as writer:
        assert made(writer)["created_by"] == "deploy"


def test_every_write_is_in_the_trail_and_is_told(server: Site) -> None:
    """From the SDK; what changed nothing leaves nothing."""
    with Akmatori(base_url=server.base_url, username="admin", password=PASSWORD) as client:
        silence = client.silences.create(
            matchers=["alertname=DiskFull"], comment="planned", duration_seconds=3600
        )
        client.silences.update(silence.uuid, matchers=[*silence.matchers, "host=db-1"])
        client.silences.delete(silence.uuid)
        client.silences.delete(silence.uuid)
        entries = client.audit.list(action="silence").collect(3)[::-1]
        over = client.silences.get(silence.uuid)
        assert silence.uuid in [one.uuid for one in client.silences.list(state="expired")]

    assert [str(entry.action) for entry in entries] == ["silence:created", "silence:updated", "silence:ended"]
    assert {entry.target for entry in entries} == {f"silence:{silence.uuid}"}
    created, updated, ended = entries
    assert created.before is None
    assert updated.before == created.after
    assert ended.before == updated.after
    assert ended.after is not None
    assert (ended.after["state"], over.state) == ("expired", "expired")
    assert [f"{one.name}{one.operator}{one.value}" for one in over.matchers] == [
        "alertname=DiskFull",
        "host=db-1",
    ]
    assert _told(server, silence.uuid) == ["silence.created", "silence.updated", "silence.ended"]


def _told(server: Site, uuid: str) -> list[str]:
    """Return the kinds of the events about a silence."""
    with server.installation.database.read() as connection:
        rows = connection.execute(sa.select(events.c.kind, events.c.data).order_by(events.c.id))
        return [row.kind for row in rows if row.data.get("silence_uuid") == uuid]
