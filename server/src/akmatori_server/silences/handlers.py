"""Answers the operations of the tag `silences`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.etag import etag_of, require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.once import KeyedCreate
from akmatori_server.http.optional import given
from akmatori_server.pagination import requested_page
from akmatori_server.silences.changes import Change
from akmatori_server.silences.models import CountedSilence, SilenceState
from akmatori_server.silences.rules import MatcherMembers, WrittenSilence
from akmatori_server.silences.service import SilenceService

CREATE = KeyedCreate("createSilence", codec.encode_silence, codec.decode_silence)


class SilenceHandlers:
    """Silences over HTTP."""

    def __init__(self, silences: SilenceService, trail: AuditTrail) -> None:
        self._silences = silences
        self._trail = trail

    def list_silences(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        per_page: int | Unset,
        state: models.SilenceState | Unset,
    ) -> models.SilenceList:
        """List silences, the newest first."""
        wanted = None if state is UNSET else SilenceState(state.value)
        # One moment for the whole answer: what is listed as active is shown as active.
        now = self._silences.now()
        return self._silences.listing(wanted, now=now).answer(
            requested_page(page, per_page), partial(_model, now=now), models.SilencePage
        )

    def create_silence(
        self, call: Call, /, *, idempotency_key: str | Unset, body: models.CreateSilenceRequest
    ) -> Answer[models.Silence]:
        """Create a silence, or a maintenance window that begins later."""
        written = _written(body)
        with self._silences.change() as write:
            created = CREATE.answer(
                write.connection,
                call,
                key=idempotency_key,
                request=codec.encode_create_silence_request(body),
                create=lambda: self._created(write, call, written),
                now=self._silences.now(),
            )
        return _answer(created)

    def get_silence(self, _call: Call, /, *, uuid: str) -> Answer[models.Silence]:
        """Read one silence."""
        return _answer(_model(self._silences.get(uuid), self._silences.now()))

    def update_silence(
        self, call: Call, /, *, uuid: str, if_match: str | Unset, body: models.UpdateSilenceRequest
    ) -> Answer[models.Silence]:
        """Change or extend a silence."""

        def check(stored: CountedSilence) -> None:
            require_match(if_match, _etag(_model(stored, self._silences.now())))

        changed = self._silences.update(
            uuid, _written(body), check=check, record=partial(self._record, call, Action.SILENCE_UPDATED)
        )
        return _answer(_model(changed, self._silences.now()))

    def delete_silence(self, call: Call, /, *, uuid: str) -> None:
        """End a silence now."""
        self._silences.end(uuid, record=partial(self._record, call, Action.SILENCE_ENDED))

    def _created(self, write: Change, call: Call, written: WrittenSilence) -> models.Silence:
        created = self._silences.create_in(write, written, created_by=call.caller.name)
        shown = _model(created, created.silence.created_at)
        self._trail.record(
            write.connection,
            call,
            Action.SILENCE_CREATED,
            f"silence:{shown.uuid}",
            None,
            codec.encode_silence(shown),
        )
        return shown

    def _record(
        self,
        call: Call,
        action: Action,
        connection: sa.Connection,
        before: CountedSilence,
        after: CountedSilence,
    ) -> None:
        now = after.silence.updated_at
        self._trail.record(
            connection,
            call,
            action,
            f"silence:{before.silence.uuid}",
            codec.encode_silence(_model(before, now)),
            codec.encode_silence(_model(after, now)),
        )


def _written(body: models.CreateSilenceRequest | models.UpdateSilenceRequest) -> WrittenSilence:
    seconds = given(body.duration_seconds)
    matchers = given(body.matchers)
    return WrittenSilence(
        matchers=None if matchers is None else _matchers(matchers),
        comment=given(body.comment),
        starts_at=given(body.starts_at),
        ends_at=given(body.ends_at),
        duration=None if seconds is None else timedelta(seconds=seconds),
    )


def _matchers(given: Sequence[models.MatcherInput]) -> list[str | MatcherMembers]:
    return [
        one if isinstance(one, str) else MatcherMembers(one.name, one.operator, one.value) for one in given
    ]


def _answer(silence: models.Silence) -> Answer[models.Silence]:
    return Answer(silence, headers={"ETag": _etag(silence)})


def _etag(silence: models.Silence) -> str:
    """Return the version of what is written; state and count change by themselves."""
    matchers = [(one.name, one.operator, one.value) for one in silence.matchers]
    return etag_of(
        silence.uuid, matchers, silence.starts_at, silence.ends_at, silence.comment, silence.updated_at
    )


def _model(counted: CountedSilence, now: datetime) -> models.Silence:
    silence = counted.silence
    return models.Silence(
        uuid=silence.uuid,
        state=models.SilenceState(silence.state_at(now).value),
        matchers=[
            models.Matcher(name=one.name, operator=one.operator.value, value=one.value)
            for one in silence.matchers
        ],
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        created_by=silence.created_by,
        comment=silence.comment,
        silenced_count=counted.silenced_count,
        created_at=silence.created_at,
        updated_at=silence.updated_at,
    )
