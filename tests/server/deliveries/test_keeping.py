"""What is kept of a delivery, how much, and how long, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.deliveries.cleanup import OLD_DELIVERIES
from akmatori_server.deliveries.flood import FloodGate
from akmatori_server.deliveries.models import Filter, Outcome
from akmatori_server.deliveries.room import LONGEST_BODY, SHARES, Kind
from akmatori_server.deliveries.sealing import BodySeal
from akmatori_server.deliveries.service import DeliveryLog
from akmatori_server.deliveries.tables import deliveries
from akmatori_server.errors import BadRequest, NotFound, Unavailable
from akmatori_server.pagination import PageRequest
from akmatori_server.retention.cleanup import Cleanup
from akmatori_server.secrets_rotation import check_readable, forget, rotate
from tests.server.deliveries.depot import (
    BODY,
    Clock,
    Depot,
    make_depot,
    stored_nowhere,
    too_large,
    unauthorized,
)


def rows(depot: Depot, source: AlertSource) -> list[dict[str, Any]]:
    """Return what is in the table."""
    query = sa.select(deliveries).where(deliveries.c.alert_source_id == source.id).order_by(deliveries.c.id)
    with depot.database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def messages(depot: Depot, uuid: str) -> list[str]:
    """Return the messages of what is kept, the newest first."""
    return [delivery.message for delivery in depot.log.listing(uuid).all()]


def test_what_was_refused_is_kept_with_its_reason(depot: Depot) -> None:
    """And reads back byte for byte."""
    source, now = depot.source(), depot.clock.now
    depot.refuse(source, error=BadRequest("alerts: must be an array.", code="no_alerts"))

    [delivery], total = depot.log.listing(source.uuid).page(PageRequest())
    assert total == 1
    assert delivery.received_at == now
    assert (delivery.outcome, delivery.status, delivery.reason) == (Outcome.REJECTED, 400, "no_alerts")
    assert (delivery.message, delivery.remote) == ("alerts: must be an array.", "192.0.2.10")
    assert (delivery.size, delivery.kept, delivery.is_whole) == (len(BODY), len(BODY), True)
    assert (delivery.replayed_at, delivery.replay_result) == (None, None)
    assert depot.log.open(source.uuid, delivery.id).body == BODY


def test_what_was_taken_with_warnings_is_kept(depot: Depot) -> None:
    """One warning a line."""
    source = depot.source()
    depot.warn(source)

    [delivery] = depot.log.listing(source.uuid).all()
    assert (delivery.outcome, delivery.status, delivery.reason) == (Outcome.WARNED, 200, "warning")
    assert delivery.message == "One is odd.\nOne more is odd."


def test_the_body_is_encrypted_where_it_is_stored(depot: Depot) -> None:
    """Nothing of it can be read in the table, and twice the same body is not twice the same bytes."""
    source = depot.source()
    depot.refuse(source)
    depot.refuse(source)

    first, second = (row["body"] for row in rows(depot, source))
    assert b"planted" not in first
    assert first != second


def test_a_body_is_bound_to_its_source(depot: Depot) -> None:
    """Moved to another source's delivery it cannot be read."""
    source, other = depot.source(), depot.source()
    depot.refuse(source)
    with depot.database.write() as connection:
        moved = sa.update(deliveries).where(deliveries.c.alert_source_id == source.id)
        connection.execute(moved.values(alert_source_id=other.id))

    [delivery] = depot.log.listing(other.uuid).all()
    assert depot.log.open(other.uuid, delivery.id).body is None


def test_only_harmless_headers_are_kept(depot: Depot) -> None:
    """Of those that may prove something only the name, of unknown ones nothing."""
    source = depot.source(kind="grafana", signature_header="X-Proof", timestamp_header="X-Signed-At")
    depot.refuse(
        source,
        headers={
            "content-type": "application/json",
            "user-agent": "Grafana",
            "x-signed-at": "1715767200",
            "x-proof": "planted-secret",
            "x-grafana-secret": "planted-secret",
            "authorization": "Bearer planted-secret",
            "dd-api-key": "planted-secret",
            "x-webhook-token": "planted-secret",
            "cookie": "planted-secret",
            "x-unheard-of": "planted-secret",
            "x-request-id": "r" * 1000,
        },
    )

    [delivery] = depot.log.listing(source.uuid).all()
    assert delivery.headers == {
        "content-type": "application/json",
        "user-agent": "Grafana",
        "x-signed-at": "1715767200",
        "x-proof": "****",
        "x-grafana-secret": "****",
        "authorization": "****",
        "dd-api-key": "****",
        "x-webhook-token": "****",
        "x-request-id": "r" * 256,
    }
    assert "planted-secret" not in repr(rows(depot, source))


def test_a_long_body_is_cut_off(depot: Depot) -> None:
    """The size says how long it was."""
    source = depot.source()
    depot.refuse(source, b"x" * (LONGEST_BODY + 1))

    [delivery] = depot.log.listing(source.uuid).all()
    assert (delivery.size, delivery.kept, delivery.is_whole) == (LONGEST_BODY + 1, LONGEST_BODY, False)
    assert depot.log.open(source.uuid, delivery.id).body == b"x" * LONGEST_BODY


def test_of_an_unread_body_the_announced_size_is_kept(depot: Depot) -> None:
    """However large the sender said it was."""
    source = depot.source()
    depot.log.refused(source, remote="", headers={}, body=b"", size=10**15, error=too_large())

    [delivery] = depot.log.listing(source.uuid).all()
    assert (delivery.size, delivery.kept, delivery.is_whole) == (2**31 - 1, 0, False)
    assert depot.log.open(source.uuid, delivery.id).body is None


def test_what_no_database_stores_does_no_harm(depot: Depot) -> None:
    """NUL and half surrogates in what the sender wrote."""
    source = depot.source()
    depot.refuse(source, error=BadRequest("a\x00b \ud800"), headers={"user-agent": "a\x00b"})

    [delivery] = depot.log.listing(source.uuid).all()
    assert delivery.message == "a�b ?"
    assert delivery.headers == {"user-agent": "a�b"}


def test_they_are_found_by_outcome_and_replay(depot: Depot) -> None:
    """Newest first, in pages, each source its own."""
    source, other = depot.source(), depot.source()
    for _ in range(2):
        depot.refuse(source)
        depot.warn(source)
    depot.refuse(other)

    every, total = depot.log.listing(source.uuid).page(PageRequest())
    assert total == 4
    assert [d.id for d in every] == sorted((d.id for d in every), reverse=True)
    assert [d.outcome.value for d in every] == ["warned", "rejected", "warned", "rejected"]
    assert depot.log.listing(source.uuid, Filter(outcome=Outcome.WARNED)).all() == [every[0], every[2]]
    assert depot.log.listing(source.uuid, Filter(replayed=True)).all() == []
    not_replayed = depot.log.listing(source.uuid, Filter(replayed=False))
    assert not_replayed.page(PageRequest(number=2, size=2)) == (every[2:], 4)
    assert not_replayed.page(PageRequest(number=10**18, size=2)) == ([], 4)


def test_a_delivery_belongs_to_its_source(depot: Depot) -> None:
    """Asked for under another one it is not there."""
    source, other = depot.source(), depot.source()
    depot.refuse(source)
    [delivery] = depot.log.listing(source.uuid).all()

    with pytest.raises(NotFound, match="delivery"):
        depot.log.open(other.uuid, delivery.id)
    with pytest.raises(NotFound, match="alert source"):
        depot.log.get("0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77", delivery.id)


def test_only_so_many_are_kept_and_the_newest_stay(depot: Depot) -> None:
    """By bytes: the eleventh mebibyte pushes the first out."""
    source = depot.source()
    most = SHARES[Kind.REFUSED].size // LONGEST_BODY
    for number in range(most + 2):
        depot.refuse(source, b"x" * LONGEST_BODY, error=BadRequest(f"number {number}"))

    found = messages(depot, source.uuid)
    assert found == [f"number {number}" for number in range(most + 1, 1, -1)]


def test_a_stranger_cannot_push_out_what_others_sent(depot: Depot) -> None:
    """Deliveries that proved nothing, and warnings, have their own share of the room."""
    source = depot.source()
    depot.refuse(source, error=BadRequest("worth keeping"))
    depot.warn(source)
    most = SHARES[Kind.UNPROVEN].size // LONGEST_BODY
    for _ in range(most + 1):
        depot.refuse(source, b"x" * LONGEST_BODY, error=unauthorized())

    outcomes = [delivery.status for delivery in depot.log.listing(source.uuid).all()]
    assert outcomes == [401] * most + [200, 400]


def test_a_flood_is_counted_and_not_written(depot: Depot) -> None:
    """A minute's worth is kept of each kind, then a few; the log says how many were not."""
    source = depot.source()
    share = SHARES[Kind.UNPROVEN].per_minute
    with capture_logs() as lines:
        for _ in range(1000):
            depot.log.refused(source, remote="", headers={}, body=b"x", size=1, error=unauthorized())
        depot.log.refused(source, remote="", headers={}, body=b"x", size=1, error=BadRequest("kept"))
        flooded = len(rows(depot, source))
        depot.clock.tick(60)
        depot.log.refused(source, remote="", headers={}, body=b"x", size=1, error=unauthorized())

    assert flooded == share + 1
    told = [line["dropped"] for line in lines if line["event"] == "deliveries_not_kept"]
    assert told == [1, 1000 - share - 1]
    assert len(rows(depot, source)) == share + 2


def test_one_source_does_not_use_up_anothers_share(depot: Depot) -> None:
    """A flood at one webhook leaves the others theirs."""
    loud, quiet = depot.source(), depot.source()
    for _ in range(100):
        depot.log.refused(loud, remote="", headers={}, body=b"x", size=1, error=unauthorized())
    depot.log.refused(quiet, remote="", headers={}, body=b"x", size=1, error=unauthorized())

    assert len(depot.log.listing(quiet.uuid).all()) == 1


def test_without_a_database_nothing_is_raised_and_little_is_tried(tmp_path: Path) -> None:
    """The sender is answered as ever; for some seconds nobody waits for the database again."""
    database = Database.open(f"sqlite:///{tmp_path / 'nothing.db'}")
    clock = Clock()
    seal = BodySeal(SecretBox([Fernet.generate_key().decode()]), now=clock)
    log = DeliveryLog(database, seal, now=clock, gate=FloodGate(clock=clock.monotonic))
    source = stored_nowhere()
    try:
        with capture_logs() as lines:
            for _ in range(3):
                log.refused(source, remote="", headers={}, body=b"x", size=1, error=BadRequest("x"))
            clock.tick(10)
            log.warned(source, remote="", headers={}, body=b"x", warnings=["x"])
    finally:
        database.close()

    assert [line["event"] for line in lines].count("delivery_not_kept") == 2


def test_a_source_that_was_deleted_meanwhile_does_no_harm(depot: Depot) -> None:
    """Its deliveries go with it, and nothing more is kept for it."""
    source = depot.source()
    depot.refuse(source)
    depot.sources.delete(source.uuid)
    depot.refuse(source)

    assert rows(depot, source) == []


def test_old_ones_are_forgotten(depot: Depot) -> None:
    """After two weeks, in as many batches as it takes."""
    source = depot.source()
    for number in range(5):
        depot.refuse(source, error=BadRequest(f"number {number}"))
    depot.clock.tick((OLD_DELIVERIES.kept - timedelta(seconds=7.5)).total_seconds())
    Cleanup(attrs.evolve(OLD_DELIVERIES, batch=2), depot.database, depot.clock).run()

    assert messages(depot, source.uuid) == ["number 4"]


def test_the_first_ones_agree_on_the_key(database: Database) -> None:
    """Kept at the same moment by several threads, all can be read."""
    depot = make_depot(database)
    sources = [depot.source() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(depot.refuse, sources))

    for source in sources:
        [delivery] = depot.log.listing(source.uuid).all()
        assert depot.log.open(source.uuid, delivery.id).body == BODY


def test_a_new_key_of_the_installation_leaves_the_bodies_readable(database: Database) -> None:
    """Only the bodies' own key is encrypted again."""
    depot = make_depot(database)
    source = depot.source()
    depot.refuse(source)
    new = Fernet.generate_key().decode()
    both = SecretBox([new, depot.key])
    before = rows(depot, source)
    assert rotate(depot.database, both) == 1

    log = DeliveryLog(depot.database, BodySeal(SecretBox([new]), now=depot.clock), now=depot.clock)
    [delivery] = log.listing(source.uuid).all()
    assert log.open(source.uuid, delivery.id).body == BODY
    assert rows(depot, source) == before


def test_when_the_key_is_lost_new_bodies_are_kept_again(database: Database) -> None:
    """Old ones are shown without a body, once the operator has given the lost key up."""
    depot = make_depot(database)
    source = depot.source()
    depot.refuse(source)
    box = SecretBox([Fernet.generate_key().decode()])
    with pytest.raises(Exception, match="installation:delivery_key:value"):
        check_readable(depot.database, box)
    assert forget(depot.database, box) == ["installation:delivery_key:value"]

    log = DeliveryLog(depot.database, BodySeal(box, now=depot.clock), now=depot.clock)
    log.warned(source, remote="", headers={}, body=b"new", warnings=["x"])
    newest, oldest = log.listing(source.uuid).all()
    assert log.open(source.uuid, oldest.id).body is None
    assert log.open(source.uuid, newest.id).body == b"new"


def test_above_the_rate_limit_is_kept_but_not_what_could_not_be_stored(depot: Depot) -> None:
    """The first tells that the limit is too low; after the second the sender comes again by itself."""
    source = depot.source()
    depot.refuse(source, error=Unavailable("Too many.", code="rate_limited"))
    depot.refuse(source, error=Unavailable("The alerts could not be stored; send them again."))

    [delivery] = depot.log.listing(source.uuid).all()
    assert (delivery.status, delivery.reason, delivery.is_whole) == (503, "rate_limited", True)
