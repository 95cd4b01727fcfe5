"""Token usage and notifications, which are answered from our own records."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from akmatori_sdk import Aotanami
from akmatori_server.agent.circuit import CircuitStanding, CircuitState
from akmatori_server.agent.tables import llm_usage
from akmatori_server.database import Database
from akmatori_server.http.call import Scope
from akmatori_server.kubernetes.token_usage.service import ModelInUse, UsageOptions, UsageService
from akmatori_server.notifications.tables import notification_attempts, notifications
from tests.support.databases import KINDS, copied_database
from tests.support.site import Site, running_site

NOW = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


def used(database: Database, *runs: tuple[datetime, str, int, int, float | None]) -> None:
    """Note runs: when, with which model, tokens sent and written, and what that cost."""
    with database.write() as connection:
        for number, (at, model, prompt, completion, cost) in enumerate(runs):
            connection.execute(
                sa.insert(llm_usage).values(
                    incident_id=number, run=1, provider="openai", model=model, requests=2, input_tokens=prompt,
                    output_tokens=completion, cached_tokens=0, tool_calls=0, cost_usd=cost, began_ms=0, at=at,
                )
            )  # fmt: skip


def usage(database: Database, model: ModelInUse | None = None, **options: int) -> Any:
    """Count."""
    return UsageService(database, UsageOptions(**options), now=lambda: NOW, model=lambda: model).usage()


def test_windows_are_those_of_the_calendar(database: Database) -> None:
    used(
        database,
        (NOW - timedelta(minutes=30), "big", 100, 10, 0.5),
        (NOW - timedelta(minutes=31), "big", 200, 20, 0.25),
        (NOW.replace(hour=0, minute=0), "small", 1000, 0, 0.125),
        (NOW.replace(day=30, hour=23), "small", 5000, 0, 0.01),
        (NOW.replace(day=1, hour=0, minute=0), "small", 1, 1, 0),
        (NOW.replace(month=11, day=30), "old", 10**12, 0, 1000.0),
    )
    found = usage(
        database, ModelInUse("openai", "big", CircuitStanding()), hourly=100, daily=1662, monthly=10**12
    )
    assert (found.tokens_used_this_hour, found.tokens_used_today) == (110, 1330)
    assert (found.tokens_used_this_month, found.prompt_tokens, found.completion_tokens) == (6332, 6301, 31)
    assert found.estimated_cost_usd == "0.89"
    assert [(one.model, one.tokens, one.calls) for one in found.by_model] == [
        ("small", 6002, 6),
        ("big", 330, 4),
    ]
    assert [(one.window, one.used, one.limit, one.remaining, one.alert) for one in found.windows] == [
        ("hourly", 110, 100, 0, True),
        ("daily", 1330, 1662, 332, True),
        ("monthly", 6332, 10**12, 10**12 - 6332, False),
    ]
    assert [one.reset_at for one in found.windows] == [datetime(2027, 1, 1, tzinfo=UTC)] * 3
    assert (found.provider, found.model, found.alert_threshold_percent) == ("openai", "big", 80)


def test_what_is_not_known_is_absent(database: Database) -> None:
    """A price that nobody knows, a provider that has no name in this API, a cache; the circuit breaker is known."""
    nothing = usage(database)
    assert (nothing.tokens_used_this_month, nothing.estimated_cost_usd, nothing.by_model) == (0, "0.00", [])
    assert {(one.limit, one.remaining or None, one.alert) for one in nothing.windows} == {(0, None, False)}
    used(database, (NOW, "big", 1, 1, 0.5), (NOW, "new", 1, 1, None))
    standing = CircuitStanding(state=CircuitState.OPEN, failures=5, retry_at=NOW)
    found = usage(database, ModelInUse("google", "gemini", standing))
    assert found.circuit_breaker
    assert (found.circuit_breaker.state, found.circuit_breaker.retry_at) == ("open", NOW)
    for name in ("estimated_cost_usd", "provider", "cache_hits"):
        assert not getattr(found, name), name
    assert found.model == "gemini"


@pytest.fixture(scope="module", params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """A server that has sent something."""
    directory = tmp_path_factory.mktemp("records")
    more = {"token_budget": (1, 2, 3)}
    with (
        copied_database(request.param, directory, request) as url,
        running_site(url, directory, more=more) as site,
    ):
        told(site.installation.database)
        yield site


def told(database: Database) -> None:
    """Store notifications: pending, sent, failed, given up, skipped, told to wait."""
    rows: list[tuple[str, str, str, str | None, str]] = [
        ("pending", "slack", "slack", None, ""),
        ("sent", "slack", "slack", "sent", "critical"),
        ("failed", "pager", "pagerduty", "failed", "high"),
        ("given_up", "mail", "mailtos", "refused", "warning"),
        ("skipped", "mail", "mailtos", "skipped", "info"),
        ("failed", "hook", "json", "rate_limited", ""),
    ]
    with database.write() as connection:
        for number, (state, channel, kind, outcome, severity) in enumerate(rows):
            identifier = connection.execute(
                sa.insert(notifications)
                .values(
                    uuid=f"n{number}", lane=f"l{number}", kind="incident_opened", channel=channel,
                    channel_type=kind, dedup_key=f"k{number}", state=state, severity=severity,
                    title=f"Title {number}", message="Text", source="incident", namespace="shop",
                    metadata={"reason": "OOMKilled", "times": 3, "is_new": True, "deep": {"a": 1}}
                    | ({"incidents": [f"INC-{n:06}" for n in range(1999)]} if number == 5 else {}), attempts=2,
                    error="It said no." if state != "sent" else "", http_status=429 if outcome else None,
                    incident_uuid=f"i{number}", next_try_at=NOW, created_at=NOW + timedelta(minutes=number),
                )
                .returning(notifications.c.id)
            ).scalar_one()  # fmt: skip
            for one in ("failed", outcome) if outcome else ():
                connection.execute(
                    sa.insert(notification_attempts).values(
                        notification_id=identifier, at=NOW, outcome=one, sentence=""
                    )
                )


def test_notifications(site: Site) -> None:
    with Aotanami(site.base_url, api_key=site.key(Scope.READ)) as client:

        def ids(**wanted: Any) -> list[str]:
            return [one.id for one in client.notifications.list(**wanted)]

        # What waits for its first attempt is not told of yet.
        assert ids() == ["n5", "n4", "n3", "n2", "n1"]
        assert [one.status for one in client.notifications.list()] == [
            "rateLimited", "filtered", "failed", "failed", "sent"
        ]  # fmt: skip
        assert ids(status=["failed"]) == ["n3", "n2"]
        # What is not tried again was given up.
        assert [one.id for one in client.notifications.list() if one.next_try_at] == ["n5", "n2"]
        assert ids(status=["sent", "rateLimited"]) == ["n5", "n1"]
        assert ids(status=["aggregated"]) == []
        assert ids(channel=["mail"], severity=["medium"]) == ["n3"]
        assert ids(severity=["critical", "high"]) == ["n2", "n1"]
        assert ids(since=NOW + timedelta(minutes=2), until=NOW + timedelta(minutes=4)) == ["n3", "n2"]
        [one] = client.notifications.list(channel=["pager"])
        assert (one.channel.name, one.channel.type, one.severity) == ("pager", "pagerduty", "high")
        assert (one.title, one.message, one.source, one.namespace) == ("Title 2", "Text", "incident", "shop")
        assert one.metadata == {"reason": "OOMKilled", "times": "3", "is_new": "true"}
        assert (one.attempts, one.error, one.http_status, one.incident_id) == (2, "It said no.", 429, "i2")
        assert [one.channel.type for one in client.notifications.list(channel=["mail"])] == ["email"] * 2
        [many] = client.notifications.list(channel=["hook"])
        assert many.channel.type == "webhook"
        named, _, rest = many.metadata["incidents"].partition(" and ")
        assert named.split()[:2] == ["INC-000000", "INC-000001"]
        assert f"{1999 - len(named.split())} more" == rest
        assert len(many.metadata["incidents"]) <= 2000


def test_pages(site: Site) -> None:
    with site.client(site.key(Scope.READ)) as client:
        pages = [
            client.get("/api/v1/notifications", params={"pageSize": 2, "page": n}).json() for n in (1, 3, 9)
        ]
    assert [[one["id"] for one in page["data"]] for page in pages] == [["n5", "n4"], ["n1"], []]
    assert [page["metadata"]["total"] for page in pages] == [5, 5, 5]


def test_usage_over_http(site: Site) -> None:
    with Aotanami(site.base_url, api_key=site.key(Scope.READ)) as client:
        found = client.token_usage.get()
    assert found.tokens_used_today == 0
    assert [one.limit for one in found.windows or ()] == [1, 2, 3]
