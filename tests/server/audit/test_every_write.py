"""Every kind of write that an operator can do leaves one entry, with what a reader would have seen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from akmatori_sdk import Akmatori
from tests.support.site import PASSWORD, Site


def _runbook(client: Akmatori) -> None:
    made = client.runbooks.create(title="Disk", content="Look.")
    client.runbooks.update(made.id, title="Disk full", content="Look.")
    client.runbooks.delete(made.id)


def _alert_source(client: Akmatori) -> None:
    made = client.alert_sources.create(
        source_type_name="alertmanager", name="audited", webhook_secret="planted-secret"
    )
    client.alert_sources.update(made.uuid, description="changed")
    client.alert_sources.delete(made.uuid)


def _api_key(client: Akmatori) -> None:
    made = client.settings.api_keys.create(name="audited", scope="read")
    client.settings.api_keys.delete(made.id)
    [revoked] = client.audit.list(action="api_key:revoked").collect(1)
    assert revoked.before is not None
    assert revoked.before["name"] == "audited"


def _incident(client: Akmatori) -> None:
    client.incidents.create(task="Is the audit complete?")


@pytest.mark.parametrize(
    ("write", "actions"),
    [
        (_runbook, ["runbook:created", "runbook:updated", "runbook:deleted"]),
        (_alert_source, ["alert_source:created", "alert_source:updated", "alert_source:deleted"]),
        (_api_key, ["api_key:created", "api_key:revoked"]),
        (_incident, ["incident:created"]),
    ],
)
def test_it_is_in_the_trail(server: Site, write: Callable[[Akmatori], None], actions: list[str]) -> None:
    """The actions are there in order, done by the administrator, and without any secret."""
    with Akmatori(base_url=server.base_url, username="admin", password=PASSWORD) as client:
        before = client.audit.list().first()
        write(client)
        entries = client.audit.list().collect(len(actions))

    assert [str(entry.action) for entry in entries][::-1] == actions
    assert before is None or before.id < min(entry.id for entry in entries)
    assert {entry.actor for entry in entries} == {"admin"}
    assert "planted-secret" not in repr([entry.to_dict() for entry in entries])
