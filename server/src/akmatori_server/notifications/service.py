"""The settings of notifications, the list of what was told, and trying a channel out."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime

import attrs
import sqlalchemy as sa

from akmatori_server.crypto import SecretBox, SecretUnreadableError
from akmatori_server.database import Database
from akmatori_server.errors import NotFound
from akmatori_server.notifications import settings_store, store
from akmatori_server.notifications.channels import Channels
from akmatori_server.notifications.courier import Courier
from akmatori_server.notifications.delivery import Delivery
from akmatori_server.notifications.failures import SendError
from akmatori_server.notifications.models import SLACK, Attempt, Notification, Wanted
from akmatori_server.notifications.settings import NotificationSettings
from akmatori_server.notifications.slack import SlackSender
from akmatori_server.notifications.slack_api import SlackApi
from akmatori_server.notifications.words import Message
from akmatori_server.pagination import PageRequest

MOST_BARE = 1000
TEST_TITLE = "A test of Akmatori"
TEST_TEXT = "This is a test: notifications of Akmatori arrive here."


@attrs.frozen
class Told:
    """A notification with the attempts to send it."""

    notification: Notification
    attempts: tuple[Attempt, ...]


@attrs.frozen(kw_only=True)
class TestResult:
    """What came of trying a channel."""

    channel: str
    is_success: bool
    message: str
    duration_ms: int
    http_status: int | None = None


@attrs.frozen
class SettingsWrite:
    """One transaction that changes the settings."""

    connection: sa.Connection
    before: NotificationSettings
    box: SecretBox
    now: datetime

    def put(self, changed: NotificationSettings) -> NotificationSettings:
        """Store the settings, and return them as they are then."""
        stamped = attrs.evolve(changed, version=changed.version + 1, updated_at=self.now)
        settings_store.write(self.connection, stamped)
        return stamped


class NotificationService:
    """What the handlers ask."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        *,
        channels: Channels,
        delivery: Delivery,
        courier: Courier,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._box = box
        self._channels = channels
        self._delivery = delivery
        self._courier = courier
        self._now = now

    def seed(self) -> None:
        """Write what is set before anybody has changed it; called at every start."""
        with self._database.write() as connection:
            settings_store.seed(connection, now=self._now())

    def settings(self) -> NotificationSettings:
        """Read the settings."""
        with self._database.read() as connection:
            return settings_store.read(connection, self._box)

    @contextmanager
    def writing(self) -> Generator[SettingsWrite]:
        """Yield one transaction that changes the settings; what failed is then tried with the new ones."""
        with self._database.write() as connection:
            before = settings_store.read(connection, self._box, lock=True)
            yield SettingsWrite(connection, before, self._box, self._now())
            for target in before.targets:
                self._courier.hurry(connection, target.name)
        self._channels.forget()

    def slack_changed(self, connection: sa.Connection) -> None:
        """Use the new Slack settings from now on: for what failed with the old ones, too.

        Part of the transaction that changes them; they are read anew for each message anyway.
        """
        self._channels.forget()
        self._delivery.forget_channels()
        self._courier.hurry(connection, SLACK)

    def page(self, wanted: Wanted, request: PageRequest | None) -> tuple[list[Told], int]:
        """Return one page, the newest first, and how many there are; without a request the newest of all."""
        offset, limit = (0, MOST_BARE) if request is None else (request.offset, request.size)
        with self._database.read() as connection:
            total = store.count(connection, wanted)
            # The offset may be larger than the database's integers.
            found = store.page(connection, wanted, offset=offset, limit=limit) if offset < total else []
            attempts = store.attempts_of(connection, [one.id for one in found])
        return [Told(one, tuple(attempts.get(one.id, ()))) for one in found], total

    def test(self, channel: str) -> TestResult:
        """Send one message to one channel.

        Raises:
            NotFound: there is no such channel.
        """
        names = [SLACK, *(target.name for target in self.settings().targets)]
        if channel not in names:
            raise NotFound(f"channel: there is no {channel}; there is {', '.join(names)}.")
        began = time.monotonic()
        status: int | None = None
        is_success = False
        try:
            message = self._test_slack() if channel == SLACK else self._test_target(channel)
            is_success = True
        except SendError as error:
            message, status = error.sentence, error.http_status
        except SecretUnreadableError:
            message = (
                f"The secret of the channel {channel} cannot be read with this server's key; enter it again."
            )
        return TestResult(
            channel=channel,
            is_success=is_success,
            message=message,
            duration_ms=int((time.monotonic() - began) * 1000),
            http_status=status,
        )

    def _test_target(self, name: str) -> str:
        url = self._delivery.address(name, is_test=True)
        self._delivery.send(name, url, Message(TEST_TITLE, TEST_TEXT))
        return "Sent."

    def _test_slack(self) -> str:
        settings, api, channel = self._delivery.slack()
        sentence = say_hello(api, channel)
        if not settings.is_configured:
            sentence += " Incidents are not told yet: signing_secret and app_token have to be set as well."
        elif not settings.enabled:
            sentence += " Incidents are not told yet: Slack is switched off."
        return sentence


def say_hello(api: SlackApi, channel: Callable[[], str]) -> str:
    """Post a test to Slack, and return where it is.

    Raises:
        SendError: it was not posted.
    """
    who = api.call("auth.test", json={})
    posted = SlackSender(api, channel=channel, note=lambda _posted: None).test(TEST_TEXT)
    team, user = str(who.get("team", ""))[:100], str(who.get("user", ""))[:100]
    return f"Sent to the channel {posted} of the workspace {team} as {user}."
