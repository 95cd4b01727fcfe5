"""Webhooks over HTTP: what Alertmanager sends and gets."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.server.alerts.payloads import delivery, entry
from tests.support.site import Site

LIMIT = 10 * 1024 * 1024


def add_source(admin: httpx.Client, **members: Any) -> str:
    """Add a source and return its uuid."""
    body = {"source_type_name": "alertmanager", "name": f"prom-{uuid4()}", **members}
    uuid: str = admin.post("/api/alert-sources", json=body).json()["uuid"]
    return uuid


@pytest.mark.parametrize("prefix", ["/webhook/alert/", "/api/webhook/alert/"])
def test_a_delivery_needs_no_login_and_opens_an_incident(
    server: Site, admin: httpx.Client, prefix: str
) -> None:
    """At both addresses, whatever the content type says."""
    uuid = add_source(admin)
    body = delivery(entry(prefix.strip("/"), fingerprint=uuid))
    with server.client() as sender:
        answer = sender.post(prefix + uuid, content=body, headers={"Content-Type": "text/plain"})
    newest = admin.get("/api/incidents", params={"per_page": 1}).json()["data"][0]

    assert (answer.status_code, answer.text) == (200, "Received 1 alerts")
    assert answer.headers["content-type"].startswith("text/plain")
    assert (newest["source"], newest["source_id"]) == ("alertmanager", uuid)


def test_the_secret_is_enforced(server: Site, admin: httpx.Client) -> None:
    """Before anything else is told."""
    uuid = add_source(admin, webhook_secret="the-secret")
    path = f"/webhook/alert/{uuid}"
    with server.client() as sender:
        refused = [
            sender.post(path, content=b"{}"),
            sender.post(path, content=b"no json", headers={"Authorization": "Bearer wrong"}),
        ]
        accepted = sender.post(
            path, content=delivery(entry()), headers={"Authorization": "Bearer the-secret"}
        )

    assert {answer.status_code for answer in refused} == {401}
    assert accepted.status_code == 200


def test_what_cannot_be_taken_is_refused(server: Site, admin: httpx.Client) -> None:
    """Each with its status and the one error shape."""
    uuid = add_source(admin)
    disabled = add_source(admin, enabled=False)
    slack = add_source(admin, source_type_name="slack_channel", settings={"slack_channel_id": "C1"})
    with server.client() as sender:
        answers = {
            "unknown": sender.post(f"/webhook/alert/{uuid4()}", content=b"{}"),
            "disabled": sender.post(f"/webhook/alert/{disabled}", content=b"{}"),
            "slack": sender.post(f"/webhook/alert/{slack}", content=b"{}"),
            "empty": sender.post(f"/webhook/alert/{uuid}", content=b""),
            "malformed": sender.post(f"/webhook/alert/{uuid}", content=b"{"),
            "get": sender.get(f"/webhook/alert/{uuid}"),
            "large": sender.post(f"/webhook/alert/{uuid}", content=b" " * (LIMIT + 1)),
        }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "unknown": 404,
        "disabled": 403,
        "slack": 400,
        "empty": 400,
        "malformed": 400,
        "get": 405,
        "large": 413,
    }
    assert all(answer.json()["error"] for answer in answers.values())


def test_a_delivery_of_nothing_is_fine(server: Site, admin: httpx.Client) -> None:
    """Receivers are tested with such."""
    with server.client() as sender:
        answer = sender.post(f"/webhook/alert/{add_source(admin)}", content=b"{}")

    assert (answer.status_code, answer.text) == (200, "Received 0 alerts")
