"""Answers the operations of the tag `alertSources`."""

from __future__ import annotations

from functools import partial

import sqlalchemy as sa

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.alert_sources.models import (
    AlertSource,
    AlertSourceChanges,
    AlertSourceType,
    NewAlertSource,
)
from akmatori_server.alert_sources.service import AlertSourceService
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.etag import etag_of, require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.once import KeyedCreate
from akmatori_server.http.optional import given
from akmatori_server.listing import answer_part
from akmatori_server.pagination import requested_page

WEBHOOK_PATH = "/webhook/alert/"
CREATE = KeyedCreate("createAlertSource", codec.encode_alert_source, codec.decode_alert_source)


class AlertSourceHandlers:
    """Alert sources over HTTP."""

    def __init__(self, sources: AlertSourceService, trail: AuditTrail) -> None:
        self._sources = sources
        self._trail = trail

    def list_alert_source_types(
        self, _call: Call, /, *, page: int | Unset, per_page: int | Unset
    ) -> models.AlertSourceTypeList:
        """List the kinds of alert sources."""
        every = [type_model(source_type) for source_type in self._sources.types()]
        return answer_part(every, requested_page(page, per_page), models.AlertSourceTypePage)

    def list_alert_sources(
        self, call: Call, /, *, page: int | Unset, per_page: int | Unset
    ) -> models.AlertSourceList:
        """List the alert sources."""
        return self._sources.listing.answer(
            requested_page(page, per_page), partial(self._model, call), models.AlertSourcePage
        )

    def create_alert_source(
        self, call: Call, /, *, idempotency_key: str | Unset, body: models.CreateAlertSourceRequest
    ) -> Answer[models.AlertSource]:
        """Add an alert source."""
        new = NewAlertSource(
            source_type_name=body.source_type_name,
            name=body.name,
            description=given(body.description) or "",
            webhook_secret=given(body.webhook_secret) or "",
            field_mappings=given(body.field_mappings),
            settings=given(body.settings),
            enabled=given(body.enabled) is not False,
        )
        with self._sources.transaction() as connection:
            created = CREATE.answer(
                connection,
                call,
                key=idempotency_key,
                request=codec.encode_create_alert_source_request(body),
                create=lambda: self._created(connection, call, new),
                now=self._sources.now(),
            )
        return Answer(created, headers={"ETag": _etag(created)})

    def get_alert_source(self, call: Call, /, *, uuid: str) -> Answer[models.AlertSource]:
        """Read one alert source."""
        return self._answer(call, self._sources.get(uuid))

    def update_alert_source(
        self, call: Call, /, *, uuid: str, if_match: str | Unset, body: models.UpdateAlertSourceRequest
    ) -> Answer[models.AlertSource]:
        """Change members of an alert source."""
        changes = AlertSourceChanges(
            name=given(body.name),
            description=given(body.description),
            webhook_secret=given(body.webhook_secret),
            field_mappings=given(body.field_mappings),
            settings=given(body.settings),
            enabled=given(body.enabled),
        )

        def check(stored: AlertSource) -> None:
            require_match(if_match, _etag(self._model(call, stored)))

        changed = self._sources.update(uuid, changes, check=check, record=partial(self._record, call))
        return self._answer(call, changed)

    def delete_alert_source(self, call: Call, /, *, uuid: str) -> None:
        """Delete an alert source."""
        self._sources.delete(uuid, record=partial(self._record, call))

    def _created(self, connection: sa.Connection, call: Call, new: NewAlertSource) -> models.AlertSource:
        shown = self._model(call, self._sources.create_in(connection, new))
        after = codec.encode_alert_source(shown)
        self._trail.record(
            connection, call, Action.ALERT_SOURCE_CREATED, f"alert_source:{shown.uuid}", None, after
        )
        return shown

    def _record(
        self, call: Call, connection: sa.Connection, before: AlertSource, after: AlertSource | None
    ) -> None:
        """Note a change as its reader would have seen it: with the secret masked."""
        self._trail.record(
            connection,
            call,
            Action.ALERT_SOURCE_DELETED if after is None else Action.ALERT_SOURCE_UPDATED,
            f"alert_source:{before.uuid}",
            codec.encode_alert_source(self._model(call, before)),
            None if after is None else codec.encode_alert_source(self._model(call, after)),
        )

    def _answer(self, call: Call, source: AlertSource) -> Answer[models.AlertSource]:
        shown = self._model(call, source)
        return Answer(shown, headers={"ETag": _etag(shown)})

    def _model(self, call: Call, source: AlertSource) -> models.AlertSource:
        return models.AlertSource(
            id=source.id,
            uuid=source.uuid,
            alert_source_type_id=source.type.id,
            name=source.name,
            description=source.description,
            webhook_secret=self._sources.shown_secret(source),
            webhook_url=call.base_url.rstrip("/") + WEBHOOK_PATH + source.uuid,
            field_mappings=None if source.field_mappings is None else dict(source.field_mappings),
            settings=None if source.settings is None else dict(source.settings),
            enabled=source.enabled,
            created_at=source.created_at,
            updated_at=source.updated_at,
            alert_source_type=type_model(source.type),
        )


def type_model(source_type: AlertSourceType) -> models.AlertSourceType:
    """Return the type as the API shows it."""
    return models.AlertSourceType(
        id=source_type.id,
        name=source_type.name,
        display_name=source_type.display_name,
        description=source_type.description,
        default_field_mappings=dict(source_type.default_field_mappings),
        webhook_secret_header=source_type.webhook_secret_header,
        created_at=source_type.created_at,
        updated_at=source_type.updated_at,
    )


def _etag(source: models.AlertSource) -> str:
    return etag_of(source.uuid, source.updated_at, source.name)
