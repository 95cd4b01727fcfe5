"""Calling Slack's Web API: one method at a time, with an answer or a sentence about what went wrong."""

from __future__ import annotations

import http.client
import importlib
import logging
from collections.abc import Mapping
from typing import Any, cast
from urllib.error import URLError

from akmatori_server.notifications.failures import SendError, UnknownOutcomeError

OFFICIAL_URL = "https://slack.com/api/"
MISSING = "Sending to Slack needs its SDK; install akmatori-server[notify]."
TIMEOUT_SECONDS = 10
# What Slack means when it does not say how long.
USUAL_PAUSE = 30.0
LONGEST_PAUSE = 3600.0
LONGEST_CODE = 80

# Errors that another attempt meets again, and what the operator can do about them.
_FINAL = {
    "invalid_auth": "Slack does not accept the bot token; put a new one into the Slack settings.",
    "not_authed": "Slack does not accept the bot token; put a new one into the Slack settings.",
    "token_revoked": "The bot token was revoked; install the app again and put its new token into the settings.",
    "token_expired": "The bot token has expired; put a new one into the Slack settings.",
    "account_inactive": "The bot's account is deactivated; activate it in Slack, or use another app's token.",
    "no_permission": "The workspace does not let this bot do that; ask an administrator of the workspace.",
    "missing_scope": "The bot token lacks a scope",
    "channel_not_found": "Slack does not know the channel, or it is private and the bot is not in it; check"
    " alerts_channel, and invite the bot.",
    "is_archived": "The channel is archived; unarchive it, or choose another alerts_channel.",
    "not_in_channel": "The bot is not in the channel; invite it there with /invite.",
    "restricted_action": "A setting of the workspace keeps this bot from posting there.",
    "org_login_required": "The workspace is being moved to an enterprise; log in and install the app again.",
    "ekm_access_denied": "The workspace's key management keeps the bot out.",
    "team_access_not_granted": "The app is not approved for this workspace.",
    "access_denied": "Slack denies the bot access to this.",
    "messages_tab_disabled": "The channel takes no messages from this app.",
    "msg_too_long": "Slack found the message too long.",
    "invalid_blocks": "Slack did not understand the message's layout.",
}
# Errors of Slack's own that pass.
_PASSING = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}


class SlackError(SendError):
    """Slack answered with an error; `code` is its word for it."""

    def __init__(self, code: str, sentence: str, **details: Any) -> None:
        super().__init__(sentence, **details)
        self.code = code


class SlackApi:
    """The Web API with one token. Thread-safe; holds no connection."""

    def __init__(self, token: str, *, base_url: str | None, proxy: str | None) -> None:
        """Make ready to call.

        Raises:
            SendError: the SDK is not installed.
        """
        errors, web = _library()
        quiet = logging.getLogger(f"{__name__}.sdk")
        # It would log what it sends; what goes wrong is kept with the attempt.
        quiet.setLevel(logging.CRITICAL + 1)
        self._api_error, self._client_error = errors.SlackApiError, errors.SlackClientError
        self._client: Any = web.WebClient(
            token,
            base_url=(base_url or OFFICIAL_URL).rstrip("/") + "/",
            timeout=TIMEOUT_SECONDS,
            proxy=proxy,
            logger=quiet,
            # Trying again is the queue's work, which knows what must not be posted twice.
            retry_handlers=[],
        )

    def call(
        self,
        method: str,
        *,
        json: Mapping[str, object] | None = None,
        params: Mapping[str, object] | None = None,
    ) -> Mapping[str, Any]:
        """Call a method: those that write take JSON, those that read take parameters.

        Raises:
            SlackError: Slack answered with an error.
            SendError: it was not reached.
            UnknownOutcomeError: the connection ended before the answer.
        """
        try:
            answer: Any = self._client.api_call(method, json=dict(json or {}), params=dict(params or {}))
        except self._api_error as error:
            raise _refusal(error.response) from None
        except URLError as error:
            # While connecting: nothing was sent yet. The reason holds an address and a proxy at most.
            raise SendError(f"Slack could not be reached: {_reason(error)}.") from None
        except (TimeoutError, OSError, http.client.HTTPException, self._client_error) as error:
            raise UnknownOutcomeError(
                f"The connection to Slack ended before its answer ({type(error).__name__})."
            ) from None
        return cast("Mapping[str, Any]", answer.data)


def _library() -> tuple[Any, Any]:
    """Return the modules of the SDK, an optional extra."""
    try:
        return importlib.import_module("slack_sdk.errors"), importlib.import_module("slack_sdk.web")
    except ImportError:
        raise SendError(MISSING, is_final=True) from None


def _refusal(response: Any) -> SendError:
    status = int(response.status_code)
    found: object = response.data
    data = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    if status == 429:
        pause = _pause(response.headers)
        return SlackError(
            "ratelimited",
            f"Slack asked to wait for {pause:g} seconds.",
            http_status=status,
            retry_after=pause,
        )
    if status >= 500:
        return UnknownOutcomeError(f"Slack answered with the HTTP status {status}.", http_status=status)
    code = str(data.get("error", ""))
    if not code or len(code) > LONGEST_CODE or not code.replace("_", "").isalnum():
        return SendError(
            f"What answered with the HTTP status {status} does not look like Slack.", http_status=status
        )
    if code in {"ratelimited", "rate_limited"}:
        return SlackError(
            code, "Slack asked to wait.", http_status=status, retry_after=_pause(response.headers)
        )
    if code in _PASSING:
        # Slack's own word: the message may have been taken before it failed.
        return UnknownOutcomeError(f"Slack had an error of its own: {code}.", http_status=status)
    sentence = _FINAL.get(code, f"Slack refused the message: {code}.")
    if code == "missing_scope":
        needed = str(data.get("needed", ""))[:LONGEST_CODE]
        sentence = f"{sentence}{': ' + needed if needed else ''}; add it to the app and install it again."
    return SlackError(code, sentence, http_status=status, is_final=True)


def _pause(headers: Mapping[str, Any]) -> float:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            text = str(value)
            if text.isascii() and text.isdigit():
                return min(max(float(text[:9]), 1.0), LONGEST_PAUSE)
    return USUAL_PAUSE


def _reason(error: URLError) -> str:
    reason = error.reason
    return type(reason).__name__ if isinstance(reason, Exception) else "the connection failed"
