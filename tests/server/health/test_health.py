"""Liveness, readiness, metrics and the documentation, through HTTP."""

from __future__ import annotations

from pathlib import Path

import httpx
import orjson
import pytest
import sqlalchemy as sa
import yaml

from tests.support.databases import copied_database
from tests.support.site import Site, running_site


def test_a_running_server_is_healthy_and_ready(server: Site) -> None:
    """Without any credential."""
    with server.client() as client:
        health, ready = client.get("/health"), client.get("/readyz")

    assert (health.status_code, health.json()["status"]) == (200, "ok")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ready", "checks": {"database": "ok", "engine": "ok"}},
    )


def test_tables_of_another_version_are_not_ready(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """503 says which check failed; the process still lives."""
    with (
        copied_database("sqlite", tmp_path, request) as url,
        running_site(url, tmp_path) as site,
        site.client() as client,
    ):
        with site.installation.database.write() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))

        answer = client.get("/readyz")

        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert list(answer.json()["details"]) == ["database"]
        assert int(answer.headers["retry-after"]) > 0
        assert client.get("/health").status_code == 200


def test_metrics_count_requests_and_incidents(server: Site, admin: httpx.Client) -> None:
    """By operation and by status; no names, no ids."""
    admin.post("/api/incidents", json={"task": "Look at db-1"})
    admin.get("/api/incidents")

    with server.client() as client:
        answer = client.get("/metrics")
        posted = client.post("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert 'akmatori_incidents{status="' in answer.text
    assert 'akmatori_http_requests_total{method="GET",operation="listIncidents",status="200"}' in answer.text
    assert "db-1" not in answer.text
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")


def test_the_servers_address_leads_to_the_documentation(server: Site, setup_site: Site) -> None:
    """Before the setup too."""
    for site in (server, setup_site):
        with site.client() as client:
            led, posted = client.get("/"), client.post("/")
            followed = client.get("/", follow_redirects=True)
        assert (led.status_code, led.headers["location"]) == (307, "api/docs")
        assert (followed.status_code, followed.url.path) == (200, "/api/docs")
        assert posted.status_code == 405


def test_the_documentation_page_needs_nothing_from_elsewhere(server: Site) -> None:
    """Everything it loads is served here, and the policy forbids anything else."""
    with server.client() as client:
        page = client.get("/api/docs")
        policy = page.headers["content-security-policy"]
        loaded = {
            name: client.get(f"/api/docs/{name}")
            for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js")
        }
        missing = client.get("/api/docs/../../config.py"), client.get("/api/docs/index.html")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "http" not in page.text.replace("<!DOCTYPE html>", "").replace("http-equiv", "")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert {name: answer.status_code for name, answer in loaded.items()} == dict.fromkeys(loaded, 200)
    assert loaded["swagger-ui-bundle.js"].headers["content-type"].startswith("text/javascript")
    assert [answer.status_code for answer in missing] == [404, 404]


@pytest.mark.parametrize("path", ["/api/openapi.yaml", "/api/v1/openapi.json", "/api/docs/swagger-ui.css"])
def test_what_does_not_change_is_sent_once(server: Site, path: str) -> None:
    """A caller that has the version already gets 304."""
    with server.client() as client:
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
        changed = client.get(path, headers={"If-None-Match": '"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert (changed.status_code, changed.content) == (200, first.content)


def test_the_served_specifications_are_the_ones_that_are_enforced(server: Site) -> None:
    """Both formats of both systems, references and all."""
    from akmatori_server.docs.handlers import read_specification

    with server.client() as client:
        served = yaml.safe_load(client.get("/api/openapi.yaml").text)
        other = client.get("/api/v1/openapi.json").json()

    assert served == orjson.loads(read_specification("akmatori", "openapi.json"))
    assert other == orjson.loads(read_specification("aotanami", "openapi.json"))
