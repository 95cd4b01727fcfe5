"""The log of deliveries that an operator must know about: refused ones, and those taken with a warning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

import attrs
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError

from akmatori_server.alert_sources import store as source_store
from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.database import Database
from akmatori_server.deliveries import store
from akmatori_server.deliveries.flood import FloodGate
from akmatori_server.deliveries.headers import shown_headers
from akmatori_server.deliveries.limiter import RATE_LIMITED
from akmatori_server.deliveries.models import EVERYTHING, Delivery, Filter, NewDelivery, Outcome
from akmatori_server.deliveries.room import LONGEST_BODY, kind_of, surplus
from akmatori_server.deliveries.sealing import BodySeal
from akmatori_server.errors import ApiError, NotFound, Unavailable
from akmatori_server.listing import Listing

_log = structlog.stdlib.get_logger("akmatori_server.deliveries")

OK = 200
LONGEST_MESSAGE = 4000
LONGEST_REASON = 64
LONGEST_REMOTE = 64
# What the column of a size can hold; a sender may announce any number.
LARGEST_SIZE = 2**31 - 1


@attrs.frozen(kw_only=True)
class Opened:
    """A delivery with its body; None when nothing of it is kept, or its key is gone."""

    delivery: Delivery
    body: bytes | None = attrs.field(repr=False)


class DeliveryLog:
    """Keeps deliveries, within limits, and shows them.

    Keeping never raises: what the sender is answered does not depend on it.
    """

    def __init__(
        self,
        database: Database,
        seal: BodySeal,
        *,
        now: Callable[[], datetime],
        gate: FloodGate | None = None,
    ) -> None:
        self._database = database
        self._seal = seal
        self._gate = gate or FloodGate()
        self._now = now

    def refused(
        self,
        source: AlertSource,
        *,
        remote: str,
        headers: Mapping[str, str],
        body: bytes,
        size: int,
        error: ApiError,
    ) -> None:
        """Keep a delivery that is answered with an error; `size` is what was sent, of which `body` was read.

        Not kept is what could not be stored: the database that did not take the alerts would not take this in
        time either, nor would a server with too much to do be helped by it. Every sender tries again after 503.
        """
        if isinstance(error, Unavailable) and error.code != RATE_LIMITED:
            return
        new = NewDelivery(
            outcome=Outcome.REJECTED,
            status=error.status,
            reason=error.code,
            message=error.message,
            remote=remote,
            headers=headers,
            body=body,
            size=size,
        )
        self._keep(source, new)

    def warned(
        self,
        source: AlertSource,
        *,
        remote: str,
        headers: Mapping[str, str],
        body: bytes,
        warnings: Sequence[str],
    ) -> None:
        """Keep a delivery that was taken, with what an operator should know about it."""
        new = NewDelivery(
            outcome=Outcome.WARNED,
            status=OK,
            reason="warning",
            message="\n".join(warnings),
            remote=remote,
            headers=headers,
            body=body,
            size=len(body),
        )
        self._keep(source, new)

    def source(self, source_uuid: str) -> AlertSource:
        """Return the source.

        Raises:
            NotFound: there is none with this uuid.
        """
        with self._database.read() as connection:
            source = source_store.get(connection, source_uuid)
        if source is None:
            raise NotFound("No alert source has this uuid.")
        return source

    def listing(self, source_uuid: str, wanted: Filter = EVERYTHING) -> Listing[Delivery]:
        """Return the list of a source's deliveries, the newest first.

        Raises:
            NotFound: there is no such source.
        """
        source = self.source(source_uuid)
        return Listing(
            self._database,
            partial(store.count, source_id=source.id, wanted=wanted),
            partial(store.listed, source_id=source.id, wanted=wanted),
        )

    def get(self, source_uuid: str, identifier: int) -> Delivery:
        """Return one delivery.

        Raises:
            NotFound: there is no such source, or it has no such delivery.
        """
        source = self.source(source_uuid)
        with self._database.read() as connection:
            return found(store.get(connection, source.id, identifier))

    def open(self, source_uuid: str, identifier: int) -> Opened:
        """Return one delivery with its body.

        Raises:
            NotFound: there is no such source, or it has no such delivery.
        """
        delivery = self.get(source_uuid, identifier)
        with self._database.read() as connection:
            sealed = store.sealed_body(connection, identifier)
            if sealed is None:
                # An empty body is kept whole without keeping anything.
                return Opened(delivery=delivery, body=b"" if delivery.is_whole else None)
            try:
                body = self._seal.open(connection, sealed, source_uuid)
            except SecretUnreadableError:
                return Opened(delivery=delivery, body=None)
        return Opened(delivery=delivery, body=body)

    def _keep(self, source: AlertSource, new: NewDelivery) -> None:
        if not self._gate.may_keep(source.uuid, kind_of(new.outcome, new.status)):
            return
        try:
            with self._database.write() as connection:
                self._insert(connection, source, new)
                ids = surplus(store.held(connection, source.id))
                if ids:
                    store.delete(connection, ids)
        except IntegrityError:
            # The source was deleted meanwhile, and with it whoever would look.
            _log.info("delivery_not_kept", source=source.uuid, reason=new.reason)
        except Exception:  # noqa: BLE001  keeping must never change what the sender is answered
            # Whatever it is, the sender's answer stands: a refusal that cannot be kept is still a refusal.
            self._gate.pause()
            _log.exception("delivery_not_kept", source=source.uuid, reason=new.reason)

    def _insert(self, connection: sa.Connection, source: AlertSource, new: NewDelivery) -> None:
        kept = new.body[:LONGEST_BODY]
        values = {
            "alert_source_id": source.id,
            "received_at": self._now(),
            "remote": new.remote[:LONGEST_REMOTE],
            "outcome": new.outcome.value,
            "status": new.status,
            "reason": new.reason[:LONGEST_REASON],
            "message": _storable(new.message)[:LONGEST_MESSAGE],
            "headers": _shown_headers(source, new.headers),
            "size": min(new.size, LARGEST_SIZE),
            "kept": len(kept),
            "body": self._seal.seal(connection, kept, source.uuid) if kept else None,
        }
        store.insert(connection, values)


def found(delivery: Delivery | None) -> Delivery:
    """Return the delivery, or refuse.

    Raises:
        NotFound: there is none.
    """
    if delivery is None:
        raise NotFound("This alert source has no delivery with this id.")
    return delivery


def _shown_headers(source: AlertSource, headers: Mapping[str, str]) -> dict[str, str]:
    options = source.options
    proofs = {source.type.webhook_secret_header.lower(), options.signature_header}
    kept = shown_headers(headers, proofs=proofs, timestamp=options.timestamp_header)
    return {name: _storable(value) for name, value in kept.items()}


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL, and nobody stores half a surrogate pair."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "�")
