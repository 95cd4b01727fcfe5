"""Webhooks of every vendor over HTTP: what is taken, and which code a refusal has."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any
from uuid import uuid4

import httpx
import orjson

from tests.server.alerts.adapters import examples
from tests.support.site import ON_SQLITE_ALONE, Site

pytestmark = ON_SQLITE_ALONE

SECRET = "a-shared-secret"


def add_source(admin: httpx.Client, type_name: str, **members: Any) -> str:
    """Add a source and return the path of its webhook."""
    body = {"source_type_name": type_name, "name": f"{type_name}-{uuid4()}", **members}
    answer = admin.post("/api/alert-sources", json=body)
    assert answer.status_code == 201, answer.text
    return f"/webhook/alert/{answer.json()['uuid']}"


def signature(body: bytes) -> str:
    """The HMAC of a body under the secret."""
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def test_every_vendors_delivery_is_taken(server: Site, admin: httpx.Client) -> None:
    """An array too, where a type sends one."""
    bodies: list[tuple[str, object, int]] = [
        *((name, payload, 1) for name, payload in examples.EVERY_VENDOR.items() if name != "grafana"),
        ("grafana", examples.GRAFANA, 2),
        ("zabbix", examples.ZABBIX_EXPORT, 2),
        ("pagerduty", examples.PAGERDUTY_OTHERS[0], 0),
    ]
    with server.client() as sender:
        for name, payload, count in bodies:
            answer = sender.post(add_source(admin, name), content=orjson.dumps(payload))
            assert (answer.status_code, answer.text) == (200, f"Received {count} alerts"), name
        path = add_source(admin, "generic", field_mappings=examples.GENERIC_MAPPINGS)
        assert sender.post(path, content=orjson.dumps(examples.GENERIC)).text == "Received 1 alerts"


def test_a_refused_sender_reads_why(server: Site, admin: httpx.Client) -> None:
    """By a code that says what to mend."""
    body = orjson.dumps(examples.PAGERDUTY)
    pagerduty = add_source(admin, "pagerduty", webhook_secret=SECRET)
    with server.client() as sender:
        unsigned = sender.post(pagerduty, content=body)
        forged = sender.post(pagerduty, content=body, headers={"X-PagerDuty-Signature": "v1=" + "0" * 64})
        signed = sender.post(
            pagerduty, content=body, headers={"X-PagerDuty-Signature": f"v1={'0' * 64},v1={signature(body)}"}
        )

    assert [answer.status_code for answer in (unsigned, forged, signed)] == [401, 401, 200]
    assert [answer.json()["code"] for answer in (unsigned, forged)] == [
        "signature_missing",
        "signature_wrong",
    ]


def test_a_signed_request_is_taken_once(server: Site, admin: httpx.Client) -> None:
    """As Grafana signs it with a time."""
    grafana = add_source(admin, "grafana", webhook_secret=SECRET)
    body, seconds = orjson.dumps(examples.GRAFANA), str(int(time.time()))
    headers = {
        "X-Grafana-Alerting-Timestamp": seconds,
        "X-Grafana-Alerting-Signature": signature(f"{seconds}:".encode() + body),
    }
    with server.client() as sender:
        answers = [sender.post(grafana, content=body, headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[1].json()["code"] == "signature_replayed"
