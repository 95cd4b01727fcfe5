"""The command `aotanami-server notifications test`: whether what the file of notifications names can be told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

if TYPE_CHECKING:
    from akmatori_server.notifications.from_file import NotificationsFile, SlackInFile

VARIABLE = "AKMATORI_NOTIFICATIONS_FILE"


@click.group()
def notifications() -> None:
    """Where people are told of incidents, as a file says it."""


@notifications.command("test")
@click.argument("name", required=False)
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=f"The file; else the one of {VARIABLE}.",
)
def test(name: str | None, file: Path | None) -> None:
    """Send a message to each channel of the file, or to NAME alone: a target, or slack.

    Needs no server and no database. Ends with 1 when a message was not sent.
    """
    from akmatori_server.config import load_settings
    from akmatori_server.notifications.failures import SendError
    from akmatori_server.notifications.from_file import read_notifications_file
    from akmatori_server.process import sentences

    with sentences():
        settings = load_settings()
        path = file or settings.notifications_file
        if path is None:
            raise click.UsageError(f"Name the file: --file, or {VARIABLE}.")
        channels = _channels(read_notifications_file(path), settings.slack_api_url)
    if name is not None and name not in channels:
        raise click.UsageError(f"{path} has no channel {name}; it has {', '.join(channels) or 'none'}.")
    has_failed = False
    for one in [name] if name is not None else channels:
        try:
            click.echo(f"{one}: {channels[one]()}")
        except SendError as error:
            has_failed = True
            click.echo(f"{one}: {error.sentence}", err=True)
    if has_failed:
        sys.exit(1)


def _channels(file: NotificationsFile, slack_url: str | None) -> dict[str, Callable[[], str]]:
    from akmatori_server.notifications.models import SLACK

    found: dict[str, Callable[[], str]] = {}
    if file.slack is not None:
        found[SLACK] = partial(_try_slack, file.slack, slack_url)
    for target in file.targets or ():
        found[target.name] = partial(_try_target, target.url or "")
    return found


def _try_slack(slack: SlackInFile, url: str | None) -> str:
    from akmatori_server.notifications.service import say_hello
    from akmatori_server.notifications.slack_api import OFFICIAL_URL, SlackApi
    from akmatori_server.notifications.slack_channel import SlackDirectory

    api = SlackApi(slack.bot_token, base_url=url or OFFICIAL_URL, proxy=None)
    return say_hello(api, lambda: SlackDirectory().find(api, slack.bot_token, slack.alerts_channel))


def _try_target(url: str) -> str:
    from akmatori_server.notifications.addresses import send
    from akmatori_server.notifications.service import TEST_TEXT, TEST_TITLE
    from akmatori_server.notifications.words import Message

    send(url, **attrs.asdict(Message(TEST_TITLE, TEST_TEXT)))
    return "Sent."
