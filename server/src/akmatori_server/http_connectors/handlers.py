"""Answers the operations of the tag `httpConnectors`."""

from __future__ import annotations

import orjson

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.etag import etag_of, require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.once import KeyedCreate
from akmatori_server.http.optional import given
from akmatori_server.http_connectors.models import HttpConnectorChanges, NewHttpConnector
from akmatori_server.http_connectors.service import HttpConnectorService
from akmatori_server.http_connectors.trial import ConnectorTrial
from akmatori_server.http_connectors.view import connector_model
from akmatori_server.pagination import requested_page

CREATE = KeyedCreate("createHttpConnector", codec.encode_http_connector, codec.decode_http_connector)
# What the contract lets an answer show.
LONGEST_BODY = 65536
LONGEST_URL = 16384
LONGEST_CONTENT_TYPE = 1000


class HttpConnectorHandlers:
    """HTTP connectors over HTTP."""

    def __init__(self, connectors: HttpConnectorService, trial: ConnectorTrial) -> None:
        self._connectors = connectors
        self._trial = trial

    def list_http_connectors(
        self, _call: Call, /, *, page: int | Unset, per_page: int | Unset
    ) -> models.HttpConnectorList:
        """List the HTTP connectors."""
        return self._connectors.listing.answer(
            requested_page(page, per_page), connector_model, models.HttpConnectorPage
        )

    def create_http_connector(
        self, call: Call, /, *, idempotency_key: str | Unset, body: models.CreateHttpConnectorRequest
    ) -> Answer[models.HttpConnector]:
        """Create an HTTP connector."""
        auth_config = given(body.auth_config)
        new = NewHttpConnector(
            tool_type_name=body.tool_type_name,
            base_url_field=body.base_url_field,
            description=given(body.description) or "",
            auth_config=None if auth_config is None else codec.encode_http_auth_config(auth_config),
            tools=codec.encode_http_tool_set(body.tools),
        )
        with self._connectors.transaction() as connection:
            created = CREATE.answer(
                connection,
                call,
                key=idempotency_key,
                request=codec.encode_create_http_connector_request(body),
                create=lambda: self._connectors.create_in(connection, call, new),
                now=self._connectors.now(),
            )
        return _answer(created)

    def get_http_connector(self, _call: Call, /, *, id: int) -> Answer[models.HttpConnector]:  # noqa: A002  the contract's name
        """Read one HTTP connector."""
        return _answer(connector_model(self._connectors.get(id)))

    def update_http_connector(
        self,
        call: Call,
        /,
        *,
        id: int,  # noqa: A002  the contract's name
        if_match: str | Unset,
        body: models.UpdateHttpConnectorRequest,
    ) -> Answer[models.HttpConnector]:
        """Change members of an HTTP connector."""
        auth_config, tools = given(body.auth_config), given(body.tools)
        changes = HttpConnectorChanges(
            tool_type_name=given(body.tool_type_name),
            description=given(body.description),
            base_url_field=given(body.base_url_field),
            auth_config=None if auth_config is None else codec.encode_http_auth_config(auth_config),
            tools=None if tools is None else codec.encode_http_tool_set(tools),
            enabled=given(body.enabled),
        )

        def check(stored: models.HttpConnector) -> None:
            require_match(if_match, _etag(stored))

        with self._connectors.transaction() as connection:
            updated = self._connectors.update_in(connection, call, id, changes, check=check)
        return _answer(updated)

    def delete_http_connector(self, call: Call, /, *, id: int) -> None:  # noqa: A002  the contract's name
        """Delete an HTTP connector."""
        with self._connectors.transaction() as connection:
            self._connectors.delete_in(connection, call, id)

    async def test_http_connector(
        self,
        call: Call,
        /,
        *,
        id: int,  # noqa: A002  the contract's name
        body: models.TestHttpConnectorRequest,
    ) -> models.HttpConnectorTestResult:
        """Make one read-only call of a connector, and say what happened."""
        result = await self._trial.run(
            id, tool_id=body.tool_instance_id, call_name=body.tool, arguments=given(body.arguments) or {}
        )
        shown = models.HttpConnectorTestResult(
            ok=result.is_success,
            message=result.message,
            method=models.HttpToolMethod(result.request.method),
            url=result.url[:LONGEST_URL],
            duration_ms=result.duration_ms,
        )
        if result.answer is not None:
            shown.status_code = result.answer.status
            shown.content_type = result.answer.content_type[:LONGEST_CONTENT_TYPE]
            shown.body = result.answer.body[:LONGEST_BODY]
            shown.truncated = result.answer.is_truncated or len(result.answer.body) > LONGEST_BODY
            shown.location = UNSET if result.answer.location is None else result.answer.location[:LONGEST_URL]
        return shown


def _answer(connector: models.HttpConnector) -> Answer[models.HttpConnector]:
    return Answer(connector, headers={"ETag": _etag(connector)})


def _etag(connector: models.HttpConnector) -> str:
    return etag_of(orjson.dumps(codec.encode_http_connector(connector), option=orjson.OPT_SORT_KEYS))
