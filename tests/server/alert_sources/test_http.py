"""Alert sources over HTTP: what a client of the real server sends and gets."""

from __future__ import annotations

import httpx
import pytest

UNKNOWN = "/api/alert-sources/0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77"


def test_the_life_of_a_source(admin: httpx.Client) -> None:
    """Created, read, changed by sending everything back, deleted; its secret never comes back."""
    body = {"source_type_name": "alertmanager", "name": "life", "webhook_secret": "s3cret-of-life"}
    created = admin.post("/api/alert-sources", json=body)
    source = created.json()
    path = f"/api/alert-sources/{source['uuid']}"
    form = {
        name: source[name]
        for name in ("name", "description", "webhook_secret", "field_mappings", "settings", "enabled")
    }
    updated = admin.put(path, json={**form, "description": "changed"})
    deleted = admin.delete(path)

    assert created.status_code == 201
    assert source["webhook_secret"] == "****life"
    assert source["webhook_url"] == f"{str(admin.base_url).rstrip('/')}/webhook/alert/{source['uuid']}"
    assert (source["field_mappings"], source["settings"], source["enabled"]) == (None, None, True)
    assert source["alert_source_type"]["webhook_secret_header"] == "X-Alertmanager-Secret"
    assert updated.status_code == 200
    assert (updated.json()["description"], updated.json()["webhook_secret"]) == ("changed", "****life")
    assert deleted.status_code == 204
    assert admin.get(path).status_code == 404


def test_types_and_sources_are_bare_arrays_unless_paged(admin: httpx.Client) -> None:
    """As real clients expect."""
    types = admin.get("/api/alert-source-types").json()

    assert [one["name"] for one in types][:2] == ["alertmanager", "pagerduty"]
    assert len(types) == 7
    assert isinstance(admin.get("/api/alert-sources").json(), list)
    assert admin.get("/api/alert-source-types?per_page=2&page=2").json()["data"] == types[2:4]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"source_type_name": "nagios", "name": "x"}, 400),
        ({"source_type_name": "zabbix", "name": " "}, 400),
        ({"source_type_name": "zabbix"}, 400),
        ({"source_type_name": "slack_channel", "name": "x", "settings": {}}, 400),
        ({"source_type_name": "zabbix", "name": "x", "field_mappings": []}, 400),
        ({"source_type_name": "zabbix", "name": "x", "field_mappings": {"host": "x"}}, 400),
        ({"source_type_name": "zabbix", "name": "x", "settings": {"storm_threshold": 0}}, 400),
        ({"source_type_name": "generic", "name": "x"}, 400),
        ({"source_type_name": "zabbix", "name": "x", "surplus": 1}, 400),
        ({"source_type_name": "zabbix", "name": "taken"}, 409),
    ],
)
def test_what_breaks_a_rule_is_refused(admin: httpx.Client, body: object, status: int) -> None:
    """400 for a rule, 409 for a name that is taken."""
    admin.post("/api/alert-sources", json={"source_type_name": "zabbix", "name": "taken"})

    assert admin.post("/api/alert-sources", json=body).status_code == status


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_source_is_404(admin: httpx.Client, method: str) -> None:
    """For every operation, where the product answers null or 204."""
    body = {"name": "x"} if method == "PUT" else None

    assert admin.request(method, UNKNOWN, json=body).status_code == 404


def test_the_type_cannot_be_changed(admin: httpx.Client) -> None:
    """The member is unknown on update."""
    assert admin.put(UNKNOWN, json={"source_type_name": "zabbix"}).status_code == 400
