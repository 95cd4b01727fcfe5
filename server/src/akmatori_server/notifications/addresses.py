"""The addresses of Apprise: checking one, what of it may be shown, and sending to it."""

from __future__ import annotations

import importlib
import re
from typing import Any
from urllib.parse import urlsplit

import attrs

from akmatori_server.errors import BadRequest, Unavailable
from akmatori_server.notifications.failures import SendError, UnknownOutcomeError
from akmatori_server.secrets.masking import MASK

MISSING = "Sending to this target needs Apprise; install akmatori-server[notify]."
# What helps when an address is not taken any more. The address itself is never repeated: it holds secrets.
RENEW = "check its url, and renew it in the notification settings or in AKMATORI_NOTIFICATIONS_FILE."
SEND_SECONDS = 30
LONGEST_SCHEME = 32
_STATUS = re.compile(r"\berror=(\d{3})\b")


@attrs.frozen
class Address:
    """An address that Apprise understands: its scheme, and what may be shown."""

    scheme: str
    shown: str


def read_address(url: str, *, member: str) -> Address:
    """Check an address.

    Raises:
        BadRequest: Apprise does not understand it. The address is not repeated: it holds secrets.
        Unavailable: Apprise is not installed.
    """
    if MASK in url:
        raise BadRequest(f"{member}: this is what is shown of an address; send the address itself.")
    service = _service(url)
    if service is None:
        raise BadRequest(
            f"{member}: Apprise does not understand this address; see its list of services for the form."
        )
    # Passwords are masked by the service itself. A path or a query may hold a token that it does not know
    # of, so nothing of them is shown.
    parts = urlsplit(str(service.url(privacy=True)))
    scheme = url.partition("://")[0].lower()[:LONGEST_SCHEME]
    rest = f"/{MASK}" if parts.path.strip("/") or parts.query else ""
    return Address(scheme=scheme, shown=f"{scheme}://{parts.netloc}{rest}")


def send(url: str, *, title: str, body: str, is_bad_news: bool, is_critical: bool = False) -> None:
    """Send a message, written in Markdown.

    Raises:
        SendError: the service refused it, or was not reached.
        UnknownOutcomeError: nobody knows: it took too long.
    """
    try:
        service = _service(url)
    except Unavailable as missing:
        raise SendError(missing.message, is_final=True) from None
    if service is None:
        sentence = f"Apprise does not understand its address; {RENEW}"
        raise SendError(sentence, is_final=True)
    apprise = _library()
    said: list[str] = []

    def note(entry: Any, _service: object = None) -> None:
        said.append(str(getattr(entry, "message", "")))

    kind = apprise.NotifyType.WARNING if is_bad_news else apprise.NotifyType.INFO
    if is_critical:
        kind = apprise.NotifyType.FAILURE
    sender = apprise.Apprise()
    sender.add(service)
    result = sender.notify(
        body=body,
        title=title,
        body_format=apprise.NotifyFormat.MARKDOWN,
        notify_type=kind,
        timeout=SEND_SECONDS,
        log_callback=note,
    )
    if result:
        return
    if result.status is apprise.AppriseResultStatus.TIMEOUT:
        raise UnknownOutcomeError(f"The service did not answer within {SEND_SECONDS} seconds.")
    raise _failure(said)


def _failure(said: list[str]) -> SendError:
    """Say what happened. Of what Apprise says only the status is told: the rest may hold the address."""
    found = next((match for text in said if (match := _STATUS.search(text))), None)
    if found is None:
        return SendError(
            f"The service could not be reached, or did not take the message; see whether it runs, {RENEW}"
        )
    status = int(found[1])
    is_final = 400 <= status < 500 and status not in {408, 409, 425, 429}
    sentence = f"The service answered with the HTTP status {status}"
    return SendError(
        f"{sentence}; {RENEW}" if is_final else f"{sentence}.", http_status=status, is_final=is_final
    )


def _service(url: str) -> Any:
    return _library().Apprise.instantiate(url, suppress_exceptions=True)


def _library() -> Any:
    """Return the library, which is heavy, and an optional extra."""
    try:
        return importlib.import_module("apprise")
    except ImportError:
        raise Unavailable(MISSING, code="extra_missing") from None
