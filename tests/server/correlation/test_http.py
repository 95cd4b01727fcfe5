"""Correlation rules over HTTP, as a client of the real server and the SDK see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from akmatori_sdk import Akmatori, BadRequestError
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.audit import AuditTrail
from akmatori_server.correlation.cases import CaseResult
from akmatori_server.correlation.document import RulesDocument
from akmatori_server.correlation.handlers import CorrelationRulesHandlers
from akmatori_server.correlation.service import RulesService
from akmatori_server.database import Database
from akmatori_server.errors import Unavailable
from akmatori_server.http.call import Scope
from akmatori_server.installation import utc_now
from tests.server.alerts.payloads import delivery, entry
from tests.server.correlation.documents import FAILING, GOOD
from tests.support.configured import call
from tests.support.site import Site

PATH = "/api/correlation-rules"


def test_rules_are_replaced_as_a_whole(admin: httpx.Client) -> None:
    """Read, written against what was read, in force at once, in the trail."""
    before = admin.get(PATH)
    put = admin.put(PATH, json=GOOD, headers={"If-Match": before.headers["ETag"]})
    stale = admin.put(PATH, json={"version": 1}, headers={"If-Match": before.headers["ETag"]})
    after = admin.get(PATH)
    entry = admin.get("/api/audit").json()["data"][0]
    cleared = admin.put(PATH, json={"version": 1, "window": "2h"})

    assert before.json()["source"] in {"default", "api"}
    assert put.status_code == 200
    assert put.json()["source"] == "api"
    assert put.json()["document"]["rules"] == [{"name": "clusters", "match": [], "by": ["labels.cluster"]}]
    assert put.json()["document"]["window"] == "30m"
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_write")
    assert after.json() == put.json()
    assert after.headers["ETag"] == put.headers["ETag"]
    assert (entry["action"], entry["target"], entry["actor"]) == (
        "correlation_rules:updated",
        "correlation_rules",
        "admin",
    )
    assert entry["before"]["rules"] == []
    assert entry["after"]["rules"][0]["name"] == "clusters"
    assert cleared.json()["document"] == {"version": 1, "window": "2h", "rules": [], "cases": []}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            {"version": 1, "rules": [{"name": "r", "by": ["cluster"]}]},
            "rules[0].by[0]: cluster is not a member",
        ),
        (
            {"version": 1, "rules": [{"name": "r", "by": ["source"], "match": ["x"]}]},
            "rules[0].match[0]: x is not",
        ),
        ({"version": 1, "window": "soon"}, "window: must be a duration such as"),
        ({"version": 2}, "version"),
        ({"version": 1, "rules": [{"name": "r"}]}, "by"),
        ({"rules": []}, "version"),
        ({"version": 1, "surplus": 1}, "surplus"),
    ],
)
def test_a_document_that_breaks_a_rule_is_refused(admin: httpx.Client, body: Any, sentence: str) -> None:
    """With the place, by both operations, and nothing is stored."""
    before = admin.get(PATH).json()

    for answer in (admin.put(PATH, json=body), admin.post(f"{PATH}/test", json=body)):
        assert answer.status_code == 400
        assert sentence in answer.json()["error"]
    assert admin.get(PATH).json() == before


def test_who_may_do_what(server: Site) -> None:
    """Reading is for everybody, testing for who may write, replacing for administrators."""
    for scope, statuses in (
        (Scope.READ, (200, 403, 403)),
        (Scope.WRITE, (200, 200, 403)),
        (Scope.ADMIN, (200, 200, 200)),
    ):
        with server.client(server.key(scope)) as client:
            answers = (
                client.get(PATH),
                client.post(f"{PATH}/test", json={"version": 1}),
                client.put(PATH, json={"version": 1}),
            )
        assert tuple(answer.status_code for answer in answers) == statuses


def test_cases_are_run_and_change_nothing(server: Site, api_key: str) -> None:
    """By the SDK: what passes, what differs, and the rules that hold stay."""
    with Akmatori(base_url=server.base_url, api_key=api_key) as client:
        before, incident = client.correlation_rules.get(), client.incidents.list().first()
        passed, failed = (
            client.correlation_rules.test(version=1, rules=document.rules, cases=document.cases)
            for document in map(codec.decode_correlation_document, (GOOD, FAILING))
        )
        after = client.correlation_rules.get()
        with pytest.raises(BadRequestError, match=r"window: must be a duration"):
            client.correlation_rules.update(version=1, window="x")
        assert client.incidents.list().first() == incident

    assert (passed.passed, passed.cases[0].actual, passed.cases[0].problems) == (True, [["a", "b"]], [])
    assert (failed.passed, failed.cases[0].passed) == (False, False)
    assert failed.cases[0].problems[0] == "Expected an incident of a alone, which there is not."
    assert before == after


def test_stored_rules_place_the_next_alert(admin: httpx.Client) -> None:
    """What two sources tell of one cluster is one incident, from the moment the rules are stored."""
    webhooks = [
        admin.post("/api/alert-sources", json={"source_type_name": "alertmanager", "name": name}).json()
        for name in ("east", "west")
    ]

    def fire(cluster: str) -> set[str]:
        for source in webhooks:
            alert = entry(source["name"], cluster=cluster)
            assert admin.post(f"/webhook/alert/{source['uuid']}", content=delivery(alert)).status_code == 200
        alerts = admin.get("/api/alerts").json()["data"][:2]
        return {alert["incident_uuid"] for alert in alerts}

    admin.put(PATH, json={"version": 1})
    assert len(fire("before")) == 2
    admin.put(PATH, json=GOOD)
    assert len(fire("blue")) == 1
    explained = admin.get(f"/api/alerts/{admin.get('/api/alerts').json()['data'][0]['uuid']}/explain").json()
    assert (explained["rule"], explained["compared"]) == (
        "clusters",
        [{"field": "labels.cluster", "value": "blue"}],
    )


def test_one_document_is_tested_at_a_time(unused: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is told to come again, before it has waited for long."""
    monkeypatch.setattr("akmatori_server.correlation.handlers.LONGEST_WAIT", 0.01)
    rules = RulesService(unused, AuditTrail(unused, now=utc_now), file=None, now=utc_now)
    body = models.CorrelationDocument(version=1)

    def run(_document: RulesDocument) -> tuple[CaseResult, ...]:
        with pytest.raises(Unavailable):
            # Another thread would be answered alike: the lock knows no owner.
            handlers.test_correlation_rules(call(), body=body)
        return ()

    handlers = CorrelationRulesHandlers(rules, run)

    assert handlers.test_correlation_rules(call(), body=body).passed
    # It is free again.
    assert handlers.test_correlation_rules(call(), body=body).passed


def test_a_file_is_shown_with_its_error_and_cannot_be_overwritten(unused: Database, tmp_path: Path) -> None:
    """What held before, and what is wrong now."""
    file = tmp_path / "rules.yaml"
    file.write_text("version: 1\nrules: [{name: one, by: [source]}]\n")
    rules = RulesService(unused, AuditTrail(unused, now=utc_now), file=file, now=utc_now)
    rules.load()
    handlers = CorrelationRulesHandlers(rules, lambda _document: ())
    good = handlers.get_correlation_rules(call())
    file.write_text("version: 1\nrules: {}\n")

    shown = handlers.get_correlation_rules(call()).body

    assert (good.body.source, good.body.file, good.body.error) == ("file", str(file), None)
    assert shown.error == "line 2: rules: must be a list."
    assert shown.document == good.body.document
