"""Finding the channel that the settings name: by its id, or by its name, which Slack is asked for once an hour."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from akmatori_server.notifications.slack_api import SlackApi, SlackError

REMEMBERED = 3600.0
PAGE = 1000
MOST_PAGES = 50
_ID = re.compile(r"[CGD][A-Z0-9]{6,}")


class SlackDirectory:
    """Which channel a name stands for."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, str]] = {}

    def find(self, api: SlackApi, token: str, written: str) -> str:
        """Return the id of the channel that is written as an id or as a #name.

        A name that may not be looked up is returned as it is: Slack takes the names of public channels when
        something is posted.

        Raises:
            SlackError: there is no such channel, or Slack answered with an error.
            SendError: Slack was not reached.
        """
        text = written.strip()
        if _ID.fullmatch(text):
            return text
        name = text.lstrip("#").lower()
        # The token itself is not kept here.
        key = (blake2b(token.encode(), digest_size=16).hexdigest(), name)
        with self._lock:
            known = self._known.get(key)
        if known is not None and known[0] > self._clock():
            return known[1]
        try:
            found = _look_up(api, name)
        except SlackError as error:
            if error.code == "missing_scope":
                return f"#{name}"
            raise
        with self._lock:
            self._known[key] = (self._clock() + REMEMBERED, found)
        return found

    def forget(self) -> None:
        """Ask again the next time: a channel was not where it was thought to be."""
        with self._lock:
            self._known.clear()


def _look_up(api: SlackApi, name: str) -> str:
    cursor = ""
    for _ in range(MOST_PAGES):
        answer = api.call(
            "conversations.list",
            params={
                "types": "public_channel,private_channel",
                "exclude_archived": "true",
                "limit": PAGE,
                **({"cursor": cursor} if cursor else {}),
            },
        )
        for channel in answer.get("channels", []):
            if channel.get("name", "").lower() == name:
                return str(channel["id"])
        following: Mapping[str, Any] = answer.get("response_metadata") or {}
        cursor = str(following.get("next_cursor", ""))
        if not cursor:
            break
    raise SlackError(
        "channel_not_found",
        f"Slack has no channel named #{name} that this bot can see; check alerts_channel, or invite the bot.",
        is_final=True,
    )
