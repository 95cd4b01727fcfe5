"""General, Slack and retention settings; what holds for all settings, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server._generated.akmatori import stubs
from akmatori_server.audit.models import Filter
from akmatori_server.errors import BadRequest, Conflict
from akmatori_server.pagination import PageRequest
from akmatori_server.settings.tables import slack_settings
from tests.server.incidents.domain import START, call
from tests.server.settings.conftest import Office

TOKENS = {
    "bot_token": "xoxb-EXAMPLE-b0t1",
    "signing_secret": "EXAMPLE-s3cr",
    "app_token": "xapp-EXAMPLE-app1",
}


def put_general(office: Office, if_match: Any = UNSET, **members: Any) -> models.GeneralSettings:
    """Change the general settings."""
    body = codec.decode_update_general_settings_request(members)
    return office.handlers.update_general_settings(call(), if_match=if_match, body=body).body


def put_slack(office: Office, if_match: Any = UNSET, **members: Any) -> models.SlackSettings:
    """Change the Slack settings."""
    body = codec.decode_update_slack_settings_request(members)
    return office.handlers.update_slack_settings(call(), if_match=if_match, body=body).body


def put_retention(office: Office, if_match: Any = UNSET, **members: Any) -> models.RetentionSettings:
    """Change the retention settings."""
    body = codec.decode_update_retention_settings_request(members)
    return office.handlers.update_retention_settings(call(), if_match=if_match, body=body).body


def put_proxy(office: Office, if_match: Any = UNSET, **members: Any) -> models.ProxySettings:
    """Replace the proxy settings."""
    body = codec.decode_update_proxy_settings_request(members)
    return office.handlers.update_proxy_settings(call(), if_match=if_match, body=body).body


def test_every_operation_of_the_tag_is_answered(office: Office) -> None:
    """The type checkers compare the signatures."""
    handlers: stubs.Settings = office.handlers

    assert {name for name in vars(stubs.Settings) if not name.startswith("_")} <= set(dir(handlers))


def test_before_anybody_changed_them(office: Office) -> None:
    """The documented defaults."""
    general = office.handlers.get_general_settings(call()).body
    slack = office.handlers.get_slack_settings(call()).body
    retention = office.handlers.get_retention_settings(call()).body

    assert (general.base_url, general.created_at, general.updated_at) == ("", START, START)
    assert (slack.bot_token, slack.signing_secret, slack.app_token) == ("", "", "")
    assert (slack.alerts_channel, slack.enabled, slack.is_configured) == ("", False, False)
    assert (retention.enabled, retention.retention_days, retention.cleanup_interval_hours) == (True, 90, 6)


def test_the_base_url_is_set_kept_and_cleared(office: Office) -> None:
    """Links have no slash at the end of it."""
    url = "https://akmatori.example.net/"
    office.clock.tick()
    assert put_general(office, base_url=url).base_url == url
    assert put_general(office).base_url == put_general(office, base_url=None).base_url == url
    assert office.settings.general().link_base == "https://akmatori.example.net"
    assert office.settings.general().created_at == START
    assert office.settings.general().updated_at == office.clock.now
    assert put_general(office, base_url="").base_url == ""


@pytest.mark.parametrize("url", ["akmatori.example.net", "ftp://x", "javascript:alert(1)", " https://x"])
def test_a_base_url_of_another_kind_is_refused(office: Office, url: str) -> None:
    """It ends up in links."""
    with pytest.raises(BadRequest, match="base_url"):
        put_general(office, base_url=url)


def test_slack_secrets_are_masked_and_kept(office: Office) -> None:
    """By being left out, by null and by their masks; they are configured when all three are there."""
    first = put_slack(office, bot_token=TOKENS["bot_token"])
    full = put_slack(office, **TOKENS, alerts_channel="#alerts", enabled=True)
    shown = {name: getattr(full, name) for name in TOKENS}
    kept = put_slack(office, **shown, alerts_channel=None)

    assert first.is_configured is False
    assert shown == {"bot_token": "****b0t1", "signing_secret": "****s3cr", "app_token": "****app1"}
    assert (kept.is_configured, kept.alerts_channel, kept.enabled) == (True, "#alerts", True)
    stored = office.settings.slack()
    assert stored.is_active
    assert {name: getattr(stored, name).reveal() for name in TOKENS} == TOKENS


def test_slack_secrets_are_cleared_one_by_one(office: Office) -> None:
    """By the empty text; then Slack is not used any more."""
    put_slack(office, **TOKENS, alerts_channel="#alerts", enabled=True)
    cleared = put_slack(office, app_token="", alerts_channel="")

    assert (cleared.bot_token, cleared.app_token, cleared.alerts_channel) == ("****b0t1", "", "")
    assert (cleared.enabled, cleared.is_configured) == (True, False)
    assert not office.settings.slack().is_active


def test_slack_secrets_are_encrypted(office: Office) -> None:
    """In the table, and absent from the trail."""
    put_slack(office, **TOKENS)
    with office.database.read() as connection:
        row = str(connection.execute(sa.select(slack_settings)).one())
        trail = str(connection.execute(sa.text("SELECT * FROM audit_entries")).all())

    assert "EXAMPLE" not in row
    assert "EXAMPLE" not in trail
    assert "****b0t1" in trail


def test_a_foreign_mask_changes_nothing_at_all(office: Office) -> None:
    """An update is whole or not at all."""
    put_slack(office, **TOKENS)
    with pytest.raises(BadRequest, match="app_token"):
        put_slack(office, alerts_channel="#other", bot_token="xoxb-other", app_token="****b0t1")

    stored = office.settings.slack()
    assert (stored.alerts_channel, stored.bot_token.reveal()) == ("", TOKENS["bot_token"])


def test_retention_is_changed_in_parts(office: Office) -> None:
    """What is left out stays."""
    put_retention(office, retention_days=3650)
    put_retention(office, cleanup_interval_hours=8760)
    shown = put_retention(office, enabled=False)

    assert (shown.enabled, shown.retention_days, shown.cleanup_interval_hours) == (False, 3650, 8760)
    stored = office.settings.retention()
    assert (stored.window, stored.interval) == (timedelta(days=3650), timedelta(hours=8760))


@pytest.mark.parametrize(
    "members",
    [
        {"retention_days": 0},
        {"retention_days": 3651},
        {"retention_days": -1},
        {"cleanup_interval_hours": 0},
        {"cleanup_interval_hours": 8761},
    ],
)
def test_retention_out_of_bounds_is_refused(office: Office, members: dict[str, int]) -> None:
    """By the name of the member; the members that were right are not stored either."""
    with pytest.raises(BadRequest, match=next(iter(members))):
        put_retention(office, **{"enabled": False, **members})

    stored = office.settings.retention()
    assert (stored.enabled, stored.retention_days, stored.cleanup_interval_hours) == (True, 90, 6)


@pytest.mark.parametrize("kind", ["general", "slack", "retention", "proxy"])
def test_of_two_writers_the_second_is_refused(office: Office, kind: str) -> None:
    """When both send the tag they read, even within one tick of the clock; without a tag the last wins."""
    put: Any = globals()[f"put_{kind}"]
    get = getattr(office.handlers, f"get_{kind}_settings")
    tag = get(call()).headers["ETag"]
    put(office, if_match=tag)
    with pytest.raises(Conflict, match="read it again"):
        put(office, if_match=tag)

    put(office, if_match=get(call()).headers["ETag"])
    put(office, if_match="*")
    put(office)


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("general", "settings:general:updated"),
        ("slack", "settings:slack:updated"),
        ("retention", "settings:retention:updated"),
        ("proxy", "settings:proxy:updated"),
    ],
)
def test_every_write_is_in_the_trail(office: Office, kind: str, action: str) -> None:
    """With what a read showed before and shows after."""
    put: Any = globals()[f"put_{kind}"]
    get = getattr(office.handlers, f"get_{kind}_settings")
    encode = getattr(codec, f"encode_{kind}_settings")
    before = encode(get(call()).body)
    office.clock.tick()
    after = encode(put(office))
    (entry,) = office.trail.page(PageRequest(), wanted=Filter(target=f"settings:{kind}")).items

    assert entry.action == action
    assert entry.before is not None
    assert entry.after is not None
    assert set(entry.before) == set(entry.after) == set(before)
    unstamped = {"created_at", "updated_at"}
    for name in set(before) - unstamped:
        assert (entry.before[name], entry.after[name]) == (before[name], after[name])


def test_partial_writes_at_once_lose_nothing(office: Office) -> None:
    """Each changes its own member of the stored state."""
    changes: list[dict[str, Any]] = [
        {"bot_token": TOKENS["bot_token"]},
        {"signing_secret": TOKENS["signing_secret"]},
        {"app_token": TOKENS["app_token"]},
        {"alerts_channel": "#alerts"},
        {"enabled": True},
    ]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda members: put_slack(office, **members), changes))

    stored = office.settings.slack()
    assert (stored.is_active, stored.alerts_channel, stored.version) == (True, "#alerts", 6)
