"""Alert sources and their types, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import models
from akmatori_server.alert_sources.handlers import AlertSourceHandlers
from akmatori_server.alert_sources.models import NewAlertSource
from akmatori_server.alert_sources.service import AlertSourceService
from akmatori_server.alert_sources.tables import alert_source_types, alert_sources
from akmatori_server.crypto import SecretBox
from akmatori_server.errors import BadRequest, Conflict, NotFound, Unavailable
from tests.server.incidents.domain import Domain, call

UNKNOWN = "0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77"


@pytest.fixture
def handlers(domain: Domain) -> AlertSourceHandlers:
    """The operations, called as the HTTP layer calls them."""
    return AlertSourceHandlers(domain.sources, domain.trail)


def create(handlers: AlertSourceHandlers, name: str = "prom", **members: Any) -> models.AlertSource:
    """Add a source."""
    every: dict[str, Any] = {"source_type_name": "alertmanager", "name": name, **members}
    body = models.CreateAlertSourceRequest(**every)
    return handlers.create_alert_source(call(), idempotency_key=UNSET, body=body).body


def update(
    handlers: AlertSourceHandlers, uuid: str, if_match: Any = UNSET, **members: Any
) -> models.AlertSource:
    """Change a source."""
    body = models.UpdateAlertSourceRequest(**members)
    return handlers.update_alert_source(call(), uuid=uuid, if_match=if_match, body=body).body


def test_the_types_are_there_in_their_order(handlers: AlertSourceHandlers) -> None:
    """With the headers and paths that are published."""
    types = handlers.list_alert_source_types(call(), page=UNSET, per_page=UNSET)

    assert isinstance(types, list)
    assert [(t.id, t.name, t.display_name, t.webhook_secret_header) for t in types] == [
        (1, "alertmanager", "Prometheus Alertmanager", "X-Alertmanager-Secret"),
        (2, "pagerduty", "PagerDuty", "X-PagerDuty-Signature"),
        (3, "grafana", "Grafana Alerting", "X-Grafana-Secret"),
        (4, "datadog", "Datadog", "X-Datadog-Signature"),
        (5, "zabbix", "Zabbix", "X-Zabbix-Secret"),
        (6, "slack_channel", "Slack Alert Channel", ""),
        (7, "generic", "Generic JSON", "X-Webhook-Secret"),
    ]
    assert types[2].default_field_mappings == {
        "alert_name": "ruleName",
        "severity": "state",
        "status": "state",
        "summary": "message",
        "target_host": "evalMatches.0.tags.instance",
        "runbook_url": "ruleUrl",
        "source_alert_id": "ruleId",
    }
    assert types[5].default_field_mappings == types[6].default_field_mappings == {}


def test_types_come_in_pages_too(handlers: AlertSourceHandlers) -> None:
    """The envelope when it is asked for."""
    page = handlers.list_alert_source_types(call(), page=2, per_page=4)

    assert isinstance(page, models.AlertSourceTypePage)
    assert [t.name for t in page.data] == ["zabbix", "slack_channel", "generic"]
    assert page.pagination == models.Pagination(page=2, per_page=4, total=7, total_pages=2)


def test_seeding_again_repairs_what_was_changed(domain: Domain) -> None:
    """A new version's texts replace the old ones; identifiers and creation stay."""
    with domain.database.write() as connection:
        connection.execute(sa.update(alert_source_types).values(display_name="old"))
    before = domain.sources.types()
    domain.clock.tick()
    domain.sources.seed_types()
    after = domain.sources.types()

    assert [t.display_name for t in after][:2] == ["Prometheus Alertmanager", "PagerDuty"]
    assert [(t.id, t.created_at) for t in after] == [(t.id, t.created_at) for t in before]


def test_a_source_with_nothing_optional(domain: Domain, handlers: AlertSourceHandlers) -> None:
    """Unset objects are null, texts empty, the source is enabled, and its webhook address is told."""
    source = create(handlers, "  prom ")

    assert source.name == "prom"
    assert (source.description, source.webhook_secret) == ("", "")
    assert (source.field_mappings, source.settings) == (None, None)
    assert source.enabled is True
    assert source.webhook_url == f"https://akmatori.example.net/webhook/alert/{source.uuid}"
    assert source.alert_source_type.name == "alertmanager"
    assert source.alert_source_type_id == source.alert_source_type.id == 1
    assert source.created_at == source.updated_at == domain.clock.now
    assert handlers.get_alert_source(call(), uuid=source.uuid).body == source


def test_null_is_left_out(handlers: AlertSourceHandlers) -> None:
    """For every optional member."""
    names = ["description", "webhook_secret", "field_mappings", "settings", "enabled"]
    nulls: dict[str, Any] = dict.fromkeys(names)

    assert create(handlers, **nulls).enabled is True


def test_an_empty_object_stays_an_empty_object(handlers: AlertSourceHandlers) -> None:
    """It is not null."""
    source = create(handlers, field_mappings={}, settings={}, enabled=False)

    assert (source.field_mappings, source.settings, source.enabled) == ({}, {}, False)


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"source_type_name": "nagios"}, "alertmanager, pagerduty"),
        ({"name": " \t"}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"source_type_name": "slack_channel"}, "slack_channel_id"),
        ({"source_type_name": "slack_channel", "settings": {"slack_channel_id": " "}}, "slack_channel_id"),
        ({"source_type_name": "slack_channel", "settings": {"slack_channel_id": 5}}, "slack_channel_id"),
        ({"webhook_secret": "****cret"}, "webhook_secret"),
    ],
)
def test_what_breaks_a_rule_is_refused(
    domain: Domain, handlers: AlertSourceHandlers, members: dict[str, Any], named: str
) -> None:
    """With a sentence that names the member, and nothing is stored."""
    with pytest.raises(BadRequest, match=named):
        create(handlers, **members)

    assert domain.sources.listing.all() == []


def test_the_type_may_have_blanks_around_it(handlers: AlertSourceHandlers) -> None:
    """It is trimmed, as the name is."""
    assert create(handlers, source_type_name=" zabbix ").alert_source_type.name == "zabbix"


def test_a_taken_name_is_a_conflict(handlers: AlertSourceHandlers) -> None:
    """On create and on rename; a source may keep its own name."""
    create(handlers, "one")
    other = create(handlers, "two")

    with pytest.raises(Conflict):
        create(handlers, " one")
    with pytest.raises(Conflict):
        update(handlers, other.uuid, name="one")
    assert update(handlers, other.uuid, name="two ").name == "two"


def test_of_two_creates_at_once_one_wins(domain: Domain) -> None:
    """The loser is told the conflict, not an internal error."""

    def attempt(_number: int) -> str:
        try:
            return domain.sources.create(NewAlertSource(source_type_name="zabbix", name="same")).uuid
        except Conflict:
            return "conflict"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, range(4)))

    assert outcomes.count("conflict") == 3
    assert len(domain.sources.listing.all()) == 1


def test_the_secret_is_shown_as_a_mask_and_stored_encrypted(
    domain: Domain, handlers: AlertSourceHandlers
) -> None:
    """Every answer has the mask; the table has neither the secret nor its end."""
    source = create(handlers, webhook_secret="s3cret-of-prom")
    listed = handlers.list_alert_sources(call(), page=UNSET, per_page=UNSET)

    assert isinstance(listed, list)
    shown = [source, *listed, handlers.get_alert_source(call(), uuid=source.uuid).body]
    assert {one.webhook_secret for one in shown} == {"****prom"}
    [(stored,)] = domain.rows(sa.select(alert_sources.c.webhook_secret))
    assert "prom" not in str(stored)
    assert "s3cret" not in repr(domain.sources.get(source.uuid))


@pytest.mark.parametrize(
    ("secret", "shown"), [("s3cret", "****cret"), ("short", "****"), ("abcd", "****"), ("", "")]
)
def test_a_short_secret_shows_nothing_of_itself(
    handlers: AlertSourceHandlers, secret: str, shown: str
) -> None:
    """Four of its characters would be too much."""
    assert create(handlers, webhook_secret=secret).webhook_secret == shown


def test_what_a_written_secret_means(domain: Domain, handlers: AlertSourceHandlers) -> None:
    """The mask keeps it, another text replaces it, the empty text removes it, another mask is refused."""
    uuid = create(handlers, webhook_secret="the-first-one").uuid

    def secret() -> str:
        return domain.sources.for_delivery(uuid)[1]

    assert update(handlers, uuid, webhook_secret="****-one").webhook_secret == "****-one"
    assert secret() == "the-first-one"
    update(handlers, uuid, webhook_secret=None, name="renamed")
    assert secret() == "the-first-one"
    update(handlers, uuid, webhook_secret="the-second-two")
    assert secret() == "the-second-two"
    with pytest.raises(BadRequest, match="mask"):
        update(handlers, uuid, webhook_secret="****-one")
    assert secret() == "the-second-two"
    assert update(handlers, uuid, webhook_secret="").webhook_secret == ""
    assert secret() == ""


def test_a_secret_whose_key_is_lost_can_be_entered_again(domain: Domain) -> None:
    """Until then the source stays closed, and the list still works."""
    uuid = domain.sources.create(
        NewAlertSource(source_type_name="alertmanager", name="prom", webhook_secret="the-old-secret")
    ).uuid
    other_key = SecretBox([Fernet.generate_key().decode()])
    sources = AlertSourceService(domain.database, other_key, now=domain.clock)
    handlers = AlertSourceHandlers(sources, domain.trail)

    with pytest.raises(Unavailable):
        sources.for_delivery(uuid)
    assert handlers.get_alert_source(call(), uuid=uuid).body.webhook_secret == "****"
    update(handlers, uuid, webhook_secret="the-new-secret")
    assert sources.for_delivery(uuid)[1] == "the-new-secret"


def test_an_update_changes_what_was_sent_only(domain: Domain, handlers: AlertSourceHandlers) -> None:
    """Objects are replaced as a whole; left out and null keep."""
    source = create(handlers, description="d", field_mappings={"severity": "b"}, settings={"c": 1})
    domain.clock.tick()
    updated = update(handlers, source.uuid, field_mappings={"summary": "y"}, settings=None, enabled=False)

    assert updated.field_mappings == {"summary": "y"}
    assert (updated.description, updated.settings, updated.enabled) == ("d", {"c": 1}, False)
    assert (updated.created_at, updated.updated_at) == (source.created_at, domain.clock.now)
    assert update(handlers, source.uuid, description="", enabled=True).description == ""


def test_a_slack_channel_needs_its_channel_on_every_settings_update(handlers: AlertSourceHandlers) -> None:
    """Other updates leave the settings alone."""
    settings = {"slack_channel_id": "C1", "process_human_messages": True}
    source = create(handlers, source_type_name="slack_channel", settings=settings)

    with pytest.raises(BadRequest, match="slack_channel_id"):
        update(handlers, source.uuid, settings={"process_human_messages": False})
    assert update(handlers, source.uuid, description="x").settings == settings


def test_an_update_of_what_was_not_read_is_refused(domain: Domain, handlers: AlertSourceHandlers) -> None:
    """By the entity tag."""
    uuid = create(handlers).uuid
    tag = handlers.get_alert_source(call(), uuid=uuid).headers["ETag"]
    domain.clock.tick()
    update(handlers, uuid, if_match=tag, description="first")

    with pytest.raises(Conflict, match="read it again"):
        update(handlers, uuid, if_match=tag, description="second")
    assert handlers.get_alert_source(call(), uuid=uuid).body.description == "first"


@pytest.mark.parametrize("uuid", [UNKNOWN, "no uuid at all"])
def test_an_unknown_uuid_is_not_found(handlers: AlertSourceHandlers, uuid: str) -> None:
    """For every operation."""
    with pytest.raises(NotFound):
        handlers.get_alert_source(call(), uuid=uuid)
    with pytest.raises(NotFound):
        update(handlers, uuid, name="x")
    with pytest.raises(NotFound):
        handlers.delete_alert_source(call(), uuid=uuid)


def test_a_deleted_source_is_gone_and_its_name_free(handlers: AlertSourceHandlers) -> None:
    """The second delete finds nothing."""
    uuid = create(handlers, "prom").uuid
    handlers.delete_alert_source(call(), uuid=uuid)

    with pytest.raises(NotFound):
        handlers.delete_alert_source(call(), uuid=uuid)
    assert create(handlers, "prom").uuid != uuid


def test_the_list_is_in_the_order_of_creation(handlers: AlertSourceHandlers) -> None:
    """Bare, or in pages."""
    uuids = [create(handlers, name).uuid for name in ("c", "a", "b")]
    bare = handlers.list_alert_sources(call(), page=UNSET, per_page=UNSET)
    page = handlers.list_alert_sources(call(), page=2, per_page=2)
    beyond = handlers.list_alert_sources(call(), page=2**62, per_page=UNSET)

    assert isinstance(bare, list)
    assert [source.uuid for source in bare] == uuids
    assert isinstance(page, models.AlertSourcePage)
    assert [source.uuid for source in page.data] == uuids[2:]
    assert page.pagination == models.Pagination(page=2, per_page=2, total=3, total_pages=2)
    assert isinstance(beyond, models.AlertSourcePage)
    assert beyond.data == []


def test_a_key_makes_a_create_happen_once(handlers: AlertSourceHandlers) -> None:
    """A repeat is no conflict of names, but the first answer again; the secret stays a mask in it."""
    body = models.CreateAlertSourceRequest(source_type_name="zabbix", name="z", webhook_secret="long-secret")
    answers = [handlers.create_alert_source(call(), idempotency_key="k", body=body) for _ in range(2)]

    assert answers[0] == answers[1]
    assert answers[0].body.webhook_secret == "****cret"
