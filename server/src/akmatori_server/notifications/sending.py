"""Sending to an address of Apprise through a proxy, in a process of its own.

Apprise uses a library that takes its proxy from the environment only, and what is in the environment counts for the
whole process. So a process is started for the message: the address, the proxy and the message are written to it, and
none of them is among its arguments or in the environment it is started with.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import attrs

from akmatori_server.notifications.addresses import SEND_SECONDS
from akmatori_server.notifications.failures import SendError, UnknownOutcomeError
from akmatori_server.notifications.words import Message

# Until the process has begun, on a machine that is busy.
START_SECONDS = 30
PROGRAM = "akmatori_server.notifications.sender"


@attrs.frozen
class SenderProxy:
    """The proxy, and what is reached without it. Its URL holds the password."""

    url: str = attrs.field(repr=False)
    no_proxy: str


def send_through(proxy: SenderProxy, url: str, message: Message) -> None:
    """Send a message, written in Markdown.

    Raises:
        SendError: the service refused it, or was not reached.
        UnknownOutcomeError: nobody knows: it took too long.
    """
    given = {"proxy": proxy.url, "no_proxy": proxy.no_proxy, "url": url, **attrs.asdict(message)}
    try:
        done = subprocess.run(  # noqa: S603  the arguments are ours
            [sys.executable, "-P", "-m", PROGRAM],
            input=json.dumps(given).encode(),
            stdout=subprocess.PIPE,
            # What Apprise writes down may hold the address.
            stderr=subprocess.DEVNULL,
            timeout=SEND_SECONDS + START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnknownOutcomeError(f"The service did not answer within {SEND_SECONDS} seconds.") from None
    except OSError as error:
        raise SendError(f"The process that sends could not be started ({type(error).__name__}).") from None
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise UnknownOutcomeError(
            f"The process that sends ended with the status {done.returncode} before it said what became of it."
        ) from None
    if "sentence" in said:
        kind = UnknownOutcomeError if said.pop("is_unknown") else SendError
        raise kind(said.pop("sentence"), **said)
