"""Errors: what they say, what they keep, what they survive."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import akmatori_sdk
from akmatori_sdk import (
    AkmatoriError,
    DecodeError,
    Delivery,
    NotFoundError,
    ServerError,
    StatusError,
    UnavailableError,
    UnprocessableError,
    WaitTimeoutError,
)
from akmatori_sdk._core import errors
from akmatori_sdk._core.errors import Sent, status_class
from akmatori_sdk._core.failures import parse_error_body, redact, status_error
from akmatori_sdk._core.response import Response
from akmatori_sdk._generated.akmatori.codec import decode_incident
from tests.sdk.support import incident


def every_class() -> list[type[AkmatoriError]]:
    found = (getattr(akmatori_sdk, name) for name in akmatori_sdk.__all__)
    return [one for one in found if isinstance(one, type) and issubclass(one, AkmatoriError)]


def example(kind: type[AkmatoriError]) -> AkmatoriError:
    more: dict[str, Any] = {}
    if issubclass(kind, StatusError):
        more = {"status": 422, "code": "odd", "details": {"a": "b"}, "body": "text", "retry_after": 3.0}
    elif issubclass(kind, akmatori_sdk.TransportError):
        more = {"delivery": Delivery.NOT_SENT}
    elif kind is DecodeError:
        more = {"path": "$.data[3]"}
    elif kind is WaitTimeoutError:
        more = {"last": decode_incident(incident()), "last_error": NotFoundError("gone", status=404)}
    error = kind("what went wrong", **more)
    error.request = Sent(method="GET", path="/api/x", url="https://a/api/x?y=1", request_id="r1")
    error.attempts, error.elapsed, error.stop_reason = 3, 1.25, "no attempts left"
    error.add_note("a note")
    return error


def facts(error: AkmatoriError) -> dict[str, object]:
    return {k: v if not isinstance(v, AkmatoriError) else str(v) for k, v in vars(error).items()}


def test_every_class_is_public() -> None:
    defined = {
        one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, AkmatoriError)
    }
    assert set(every_class()) == defined


@pytest.mark.parametrize("kind", every_class(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("way", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])  # noqa: S301 - our own bytes
def test_every_class_survives_pickling_and_copying(kind: type[AkmatoriError], way: Any) -> None:
    error = example(kind)
    again = way(error)
    assert type(again) is kind
    assert again is not error
    assert str(again) == str(error)
    assert facts(again) == facts(error)


def test_the_text_of_a_status_error() -> None:
    error = UnprocessableError("title is required", status=422, code="invalid_request")
    error.request = Sent(method="POST", path="/incidents", url="https://a/incidents", request_id="7f3c")
    error.attempts, error.elapsed = 1, 0.123
    assert (
        str(error)
        == "POST /incidents -> 422 invalid_request: title is required (request 7f3c, 1 attempt, 0.12 s)"
    )
    error.attempts, error.stop_reason = 3, "no attempts left"
    assert str(error).endswith("(request 7f3c, 3 attempts, 0.12 s; no attempts left)")


def test_the_text_of_errors_without_a_request() -> None:
    assert str(AkmatoriError("plain")) == "plain"
    assert (
        str(DecodeError("expected a string, got 3", "$.data[0].title"))
        == "$.data[0].title: expected a string, got 3"
    )


def test_as_curl_names_a_variable_and_a_file() -> None:
    error = AkmatoriError("x")
    error.request = Sent(
        method="POST",
        path="/api/it's",
        url="https://a/api/it's?x=1&y=2",
        request_id="r",
        credential="X-API-Key: $AKMATORI_API_KEY",
        content_type="application/json",
    )
    assert error.as_curl() == (
        "curl -X POST 'https://a/api/it'\"'\"'s?x=1&y=2' -H \"X-API-Key: $AKMATORI_API_KEY\""
        " -H 'Content-Type: application/json' --data-binary @body"
    )
    assert AkmatoriError("x").as_curl() == ""


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "UnauthorizedError"),
        (403, "ForbiddenError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (422, "UnprocessableError"),
        (429, "RateLimitedError"),
        (500, "ServerError"),
        (502, "ServerError"),
        (503, "UnavailableError"),
        (599, "ServerError"),
        (418, "StatusError"),
        (302, "StatusError"),
    ],
)
def test_status_classes(status: int, name: str) -> None:
    assert status_class(status).__name__ == name
    assert issubclass(UnavailableError, ServerError)


def answer(status: int, content: bytes | str, **headers: str) -> Response:
    return Response(status, headers, content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize(
    ("response", "message", "code", "details"),
    [
        (answer(400, '{"error": "task is required"}'), "task is required", None, {}),
        (
            answer(503, '{"error": "set up first", "code": "setup_required"}'),
            "set up first",
            "setup_required",
            {},
        ),
        (
            answer(
                422, '{"error": "invalid", "code": "validation_error", "details": {"password": "too short"}}'
            ),
            "invalid",
            "validation_error",
            {"password": "too short"},
        ),
        (
            answer(
                400,
                '{"error": {"code": 400, "message": "bad page", "reason": "BadRequest",'
                ' "details": [{"field": "page", "message": "must be 1 or more"}]}}',
            ),
            "bad page",
            "BadRequest",
            {"page": "must be 1 or more"},
        ),
        (
            answer(404, '{"title": "Not Found", "detail": "no such path", "status": 404}'),
            "no such path",
            None,
            {},
        ),
        (answer(404, "404 page not found\n"), "404 page not found", None, {}),
        (answer(500, ""), "Internal Server Error", None, {}),
        (answer(599, ""), "no explanation given", None, {}),
        (answer(400, '"just a string"'), '"just a string"', None, {}),
        (answer(400, '{"error": null}'), '{"error": null}', None, {}),
        (answer(400, '{"error": 17, "message": "by number"}'), "by number", None, {}),
        (answer(400, b"\xff\xfe"), "\ufffd\ufffd", None, {}),
    ],
)
def test_error_bodies(response: Response, message: str, code: str | None, details: dict[str, str]) -> None:
    said = parse_error_body(response)
    assert (said.message, said.code, dict(said.details)) == (message, code, details)


def test_an_html_page_becomes_its_title() -> None:
    page = "<html><head><title>413 Request Entity Too Large</title></head><body><h1>x</h1></body></html>"
    assert parse_error_body(answer(413, page)).message.startswith(
        "413 Request Entity Too Large (an HTML page"
    )
    assert parse_error_body(answer(502, "<h1>Bad &amp; gone</h1>")).message.startswith("Bad & gone (")


def test_a_redirect_says_where_to() -> None:
    message = parse_error_body(answer(301, "", location="https://b.example/login?token=abc")).message
    assert message == "the server redirects to https://b.example/login; set base_url to the final address"


def test_long_bodies_are_cut() -> None:
    error = status_error(answer(500, "x" * 100_000), secrets=(), now=lambda: 0)
    assert len(error.body) == 500
    assert len(error.message) == 300
    assert len(str(error)) < 400


def test_secrets_the_server_repeats_are_masked_before_anything_is_cut() -> None:
    secret = "s3cr3t-t0ken-value"
    body = '{"error": "bad token %s", "code": "%s", "details": {"%s": "%s"}}' % ((secret,) * 4)
    error = status_error(answer(401, body), secrets=(secret,), now=lambda: 0)
    padded = status_error(answer(401, "x" * 495 + secret), secrets=(secret,), now=lambda: 0)
    for one in (error, padded):
        assert secret[:5] not in str(one) + one.body + repr(one.details) + repr(one)
    assert error.message == "bad token ****"


def test_redact_leaves_very_short_words() -> None:
    assert redact("a cat", ["a", "", "cat"]) == "a cat"
    assert redact("a long secret", ["long"]) == "a **** secret"
