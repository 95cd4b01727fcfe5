"""Sending a call's request as every outgoing request is sent, and following nowhere."""

from __future__ import annotations

import attrs
import orjson

from akmatori_server.http_connectors.request import ApiRequest
from akmatori_server.outgoing.client import Client
from akmatori_server.outgoing.errors import OutgoingError
from akmatori_server.outgoing.guard import LookUp
from akmatori_server.outgoing.models import OutgoingRequest
from akmatori_server.settings.route import Proxy
from akmatori_server.tools.redaction import without_secrets

MOST_BYTES = 1024 * 1024


class SendingFailedError(Exception):
    """There is no answer; the sentence says why, and holds no secret.

    `may_have_arrived`: the API may have got the request all the same.
    """

    def __init__(self, sentence: str, *, may_have_arrived: bool) -> None:
        super().__init__(sentence)
        self.may_have_arrived = may_have_arrived


@attrs.frozen(kw_only=True)
class ApiAnswer:
    """What the API answered, secrets masked. `is_truncated`: the body goes on."""

    status: int
    content_type: str
    location: str | None
    body: str = attrs.field(repr=False)
    is_truncated: bool


async def send(
    request: ApiRequest,
    *,
    proxy: Proxy | None = None,
    most_bytes: int = MOST_BYTES,
    resolver: LookUp | None = None,
) -> ApiAnswer:
    """Send a request once, and read its answer.

    Raises:
        SendingFailedError: it may not be sent there, or nothing usable came back.
    """
    if proxy is not None:
        request = attrs.evolve(request, secrets=(*request.secrets, *proxy.secrets))
    client = Client(
        policy=request.policy, route=lambda _url: proxy, verify_tls=request.verify_tls, resolver=resolver
    )
    async with client:
        return await send_with(client, request, most_bytes=most_bytes)


async def send_with(client: Client, request: ApiRequest, *, most_bytes: int = MOST_BYTES) -> ApiAnswer:
    """Send a request with a client that was made for its tool.

    Raises:
        SendingFailedError: it may not be sent there, or nothing usable came back.
    """
    has_body = request.body is not None
    outgoing = OutgoingRequest(
        method=request.method,
        url=request.url,
        headers={**request.headers, **({"Content-Type": "application/json"} if has_body else {})},
        body=orjson.dumps(request.body) if has_body else None,
        timeout_seconds=request.timeout_seconds,
        most_bytes=most_bytes,
        # The call was declared with its path; where it leads otherwise is for a person to see.
        follow_redirects=False,
        secrets=request.secrets,
    )
    try:
        answer = await client.send(outgoing)
    except OutgoingError as error:
        raise SendingFailedError(
            without_secrets(str(error), request.secrets), may_have_arrived=error.may_have_arrived
        ) from None
    location = answer.headers.get("location")
    return ApiAnswer(
        status=answer.status,
        content_type=without_secrets(answer.content_type, request.secrets),
        location=None if location is None else without_secrets(location, request.secrets),
        body=without_secrets(answer.text, request.secrets),
        is_truncated=answer.is_truncated,
    )
