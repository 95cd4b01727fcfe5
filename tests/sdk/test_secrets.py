"""Plants secrets wherever a caller may put one, provokes every kind of failure, and looks for them."""

from __future__ import annotations

import functools
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from akmatori_sdk import Akmatori, AkmatoriError, AsyncAkmatori, CallOptions, RetryPolicy, Upload
from akmatori_sdk._core.config import AKMATORI, resolve
from tests.sdk.server import Reply, Scripted, Seen
from tests.sdk.support import UUID, StillClock, run

TOKEN = "tok-3f9a1c77e2"
KEY = "key-88d0b1f4aa"
PASSWORD = "pass-51c2e0d9bb"
ISSUED = "jwt-6e7a90c3dd"
IN_BODY = "body-secret-19f3"
IN_HEADER = "header-secret-77aa"
PLANTED = (TOKEN, KEY, PASSWORD, ISSUED, IN_BODY, IN_HEADER)

CREDENTIALS: dict[str, dict[str, str]] = {
    "token": {"token": TOKEN},
    "api_key": {"api_key": KEY},
    "login": {"username": "admin", "password": PASSWORD},
}


def parrot(seen: Seen) -> Reply:
    """A rude server: repeats headers in its error."""
    said = " ".join(v for k, v in seen.headers.items() if k in ("authorization", "x-api-key"))
    return Reply(status=400, json={"error": f"I got {said}", "code": said, "details": {said: said}})


FAULTS: dict[str, Callable[[Seen], Reply]] = {
    "parrot": parrot,
    "reset": lambda seen: Reply(fault="unread"),
    "busy": lambda seen: Reply(status=503, json={"error": "no"}),
    "refused": lambda seen: Reply(status=401, json={"error": "who are you?"}),
    "nonsense": lambda seen: Reply(body=b"{"),
    "wrong": lambda seen: Reply(json={"uuid": 5}),
}


def everything_said(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    text = [
        str(error),
        repr(error),
        repr(vars(error)),
        "".join(traceback.format_exception(error)),
        caplog.text,
    ]
    if isinstance(error, AkmatoriError):
        text += [error.as_curl(), repr(error.request), repr(error.__cause__), repr(error.__context__)]
        text += [pickle.dumps(error).decode("latin-1")]
    return "\n".join(text)


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_secret_in_errors_and_logs(
    server: Scripted,
    flavour: str,
    still: StillClock,
    caplog: pytest.LogCaptureFixture,
    credential: str,
    fault: str,
) -> None:
    caplog.set_level(logging.DEBUG, "akmatori_sdk")
    server.on("POST", "/auth/login", Reply(json={"token": ISSUED}))
    server.on("POST", "/api/incidents", FAULTS[fault])
    options = CallOptions(headers={"X-Extra": IN_HEADER})
    with pytest.raises(AkmatoriError) as caught:
        run(
            flavour,
            server.url,
            lambda c: c.incidents.create(task=IN_BODY, options=options),
            clock=still.clock,
            headers={"X-Other": IN_HEADER},
            **CREDENTIALS[credential],
        )
    assert server.calls("POST", "/api/incidents"), (
        "the secrets must have been sent for the test to mean anything"
    )
    assert IN_BODY.encode() in server.calls("POST", "/api/incidents")[0].body
    said = everything_said(caught.value, caplog)
    assert not [secret for secret in PLANTED if secret in said]


def test_no_secret_when_the_connection_is_never_made(flavour: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "akmatori_sdk")
    with pytest.raises(AkmatoriError) as caught:
        run(
            flavour,
            "http://127.0.0.1:1",
            lambda c: c.incidents.get(UUID),
            token=TOKEN,
            retry=RetryPolicy.none(),
        )
    assert TOKEN not in everything_said(caught.value, caplog)


def get_with(client: Any, options: CallOptions) -> Any:
    return client.incidents.get(UUID, options=options)


def test_a_header_that_cannot_be_sent_is_not_shown(server: Scripted, flavour: str) -> None:
    for value in (f"{IN_HEADER}\r\nx: y", f"{IN_HEADER}ü"):
        options = CallOptions(headers={"X-Extra": value})
        action = functools.partial(get_with, options=options)
        with pytest.raises(AkmatoriError, match="characters HTTP does not allow") as caught:
            run(flavour, server.url, action)
        assert IN_HEADER not in str(caught.value) + repr(vars(caught.value))
        assert caught.value.__context__ is None


def test_secrets_in_the_query_are_masked(server: Scripted) -> None:
    server.on("GET", "/x", Reply(status=404, json={}))
    with Akmatori(server.url, token=TOKEN) as client, pytest.raises(AkmatoriError) as caught:
        client.request("GET", "/x", query={"token": IN_HEADER, "q": TOKEN, "page": 2})
    assert caught.value.request is not None
    assert caught.value.request.url.endswith("/x?token=****&q=****&page=2")


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("kind", [Akmatori, AsyncAkmatori])
def test_no_secret_in_reprs(kind: type[Any], credential: str) -> None:
    client = kind("http://127.0.0.1:1", headers={"X-A": IN_HEADER}, **CREDENTIALS[credential])
    sender = client._sender  # the inside must be as silent as the outside
    call = sender.build_probe()
    sender.put_token(call, ISSUED)
    sender.shared.session.succeeded({"token": ISSUED}, 0.0)
    shown = " ".join(
        map(
            repr,
            (client, client.incidents, client.with_options(timeout=1), sender.shared, sender.settings, call),
        )
    )
    assert not [secret for secret in PLANTED if secret in shown]
    assert "Config(" in shown


def test_options_do_not_show_headers_nor_uploads_their_bytes() -> None:
    assert IN_HEADER not in repr(CallOptions(headers={"Authorization": IN_HEADER}))
    assert IN_BODY not in repr(Upload(IN_BODY.encode(), filename="a.txt"))


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_no_secret_in_a_settled_configuration(credential: str) -> None:
    given: dict[str, Any] = dict.fromkeys(("api_key", "token", "username", "password"))
    settled = resolve(
        AKMATORI, base_url="http://localhost", environ={}, **{**given, **CREDENTIALS[credential]}
    )
    assert not [secret for secret in PLANTED if secret in repr(settled)]
