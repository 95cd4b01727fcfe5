"""Tokens that a cluster is asked about: TokenReview, then SubjectAccessReview, for Aotanami's paths alone."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from akmatori_server._generated.akmatori.bindings import OPERATIONS
from akmatori_server.errors import Unavailable
from akmatori_server.http.call import Caller, Scope
from akmatori_server.http.security import Requested
from akmatori_server.kubernetes.access.authenticator import LONGEST_TOKEN, KubernetesAuthenticator
from akmatori_server.kubernetes.access.model import Admitted, AuthMode, NotValid, Question
from akmatori_server.kubernetes.access.reviews import ACCESS_REVIEWS, LIMITS, TOKEN_REVIEWS, ReviewVerifier
from akmatori_server.kubernetes.access.settings import AccessSettings
from akmatori_server.kubernetes.access.verdicts import MOST_REMEMBERED, Verdicts
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.clusters.connection import Limits, connect
from tests.support.databases import copied_database
from tests.support.kube_api import KubeApi, kube_api
from tests.support.service_accounts import SUBJECT, SigningKey
from tests.support.site import Site, running_site

USER = {
    "username": SUBJECT,
    "uid": "0b5f",
    "groups": ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
    "extra": {"authentication.kubernetes.io/pod-name": ["ci-1"]},
}
CLUSTERS = "/api/v1/clusters"
GET = Question("get", CLUSTERS)
# Each test has tokens of its own, so that nobody gets the verdict of another.
NUMBERS = itertools.count()


class Door:
    """A server that asks a cluster, and the cluster."""

    def __init__(self, site: Site, api: KubeApi) -> None:
        self.site = site
        self.api = api
        self.client = site.client()

    def token(self, *, audiences: tuple[str, ...] = ("https://kubernetes",), **user: Any) -> str:
        """Make a token that the cluster knows."""
        token = f"opaque-token-{next(NUMBERS)}"
        self.api.users[token] = {"user": {**USER, **user}, "audiences": list(audiences)}
        return token

    def get(self, token: str, path: str = CLUSTERS, method: str = "GET") -> httpx.Response:
        """Ask for something with a token."""
        headers = {"Authorization": f"Bearer {token}".encode()}
        return self.client.request(method, path, headers=headers)

    def reviews(self) -> list[str]:
        """Return which questions came, and forget them."""
        found = [path.rpartition("/")[2] for path, _ in self.api.posted]
        self.api.posted.clear()
        return found


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[Site, KubeApi]]:
    directory = tmp_path_factory.mktemp("reviews")
    with kube_api() as api, copied_database("sqlite", directory, request) as url:
        more = {
            "context": "test",
            "kubeconfig": api.kubeconfig(directory),
            "access": AccessSettings(mode=AuthMode.TOKEN_REVIEW),
        }
        with running_site(url, directory, more=more) as site:
            yield site, api


@pytest.fixture
def door(running: tuple[Site, KubeApi]) -> Generator[Door]:
    site, api = running
    api.posted.clear()
    api.may = lambda _spec: True
    door = Door(site, api)
    with door.client:
        yield door
    for failing in (api.slow, api.broken, api.forbidden, api.busy):
        failing.clear()


def test_the_cluster_says_who_it_is_and_what_they_may_do(door: Door) -> None:
    token = door.token()
    assert door.get(token).status_code == 200
    [(first, review), (second, access)] = door.api.posted
    assert (first, second) == (TOKEN_REVIEWS, ACCESS_REVIEWS)
    assert review["spec"] == {"token": token}
    # Groups and extra are forwarded: without them the cluster would judge somebody else.
    assert access["spec"] == {
        "user": SUBJECT,
        "uid": "0b5f",
        "groups": USER["groups"],
        "extra": USER["extra"],
        "nonResourceAttributes": {"path": CLUSTERS, "verb": "get"},
    }


def test_a_verdict_is_remembered_for_the_same_question_alone(door: Door) -> None:
    token = door.token()
    for _ in range(3):
        assert door.get(token).status_code == 200
    assert door.reviews() == ["tokenreviews", "subjectaccessreviews"]
    door.api.may = lambda spec: spec["nonResourceAttributes"]["path"] == CLUSTERS
    answer = door.get(token, "/api/v1/token-usage")
    assert answer.status_code == 403
    assert answer.json()["error"] == {
        "code": 403,
        "message": f"{SUBJECT} may not get /api/v1/token-usage.",
        "reason": "Forbidden",
    }
    assert door.get(token, "/api/v1/token-usage").status_code == 403
    assert door.reviews() == ["tokenreviews", "subjectaccessreviews"]


def test_many_requests_at_once_ask_once(door: Door) -> None:
    token = door.token()
    door.api.slow[TOKEN_REVIEWS] = 0.3
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: door.get(token).status_code, range(6)))
    assert answers == [200] * 6
    assert door.reviews() == ["tokenreviews", "subjectaccessreviews"]


def test_what_the_cluster_does_not_know_is_refused(door: Door) -> None:
    signed = SigningKey.rsa().token()
    for token in ("no-such-token", signed, "a.b.c", "Ä", "x" * (LONGEST_TOKEN + 1)):
        answer = door.get(token)
        assert answer.status_code == 401, token[:20]
        assert answer.headers["www-authenticate"] == 'Bearer realm="API", error="invalid_token"'
        assert answer.json()["error"]["reason"] == "Unauthorized"
        assert token not in answer.text
    # What is no token at all is not even asked about; and a refusal is remembered, too.
    assert door.reviews() == ["tokenreviews"] * 3
    assert door.get("no-such-token").status_code == 401
    assert door.reviews() == []


def test_who_sends_nothing_is_told_how(door: Door) -> None:
    answer = door.client.get(CLUSTERS)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="API"')
    assert door.reviews() == []


def test_a_token_of_a_cluster_never_opens_the_other_system(door: Door) -> None:
    token = door.token()
    by_tag = {one.tag: one for one in OPERATIONS if one.scope is not None and "{" not in one.path}
    assert len(by_tag) > 12
    for one in by_tag.values():
        assert door.get(token, one.path, one.method.upper()).status_code == 401, one.id
    assert door.reviews() == []


def test_our_own_keys_open_it_without_the_cluster(door: Door) -> None:
    key = door.site.key(Scope.READ)
    assert door.get(key).status_code == 200
    assert door.get(key, "/api/v1/scans/trigger", "POST").status_code == 403
    assert door.reviews() == []


def test_a_user_without_a_name_is_nobody(door: Door) -> None:
    assert door.get(door.token(username="")).status_code == 401
    token = door.token()
    door.api.users[token]["user"] = None
    assert door.get(token).status_code == 401


@pytest.mark.parametrize("path", [TOKEN_REVIEWS, ACCESS_REVIEWS])
def test_when_nobody_can_say_it_is_503(door: Door, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """Forbidden to ask, busy, nonsense: the answer is to try again, and the next one is asked anew."""
    token = door.token()
    for fail in (
        lambda: door.api.forbidden.add(path),
        lambda: door.api.broken.update({path: b"<html>"}),
        lambda: door.api.busy.update({path: 1000}),
    ):
        for failing in (door.api.broken, door.api.forbidden, door.api.busy):
            failing.clear()
        fail()
        answer = door.get(token)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["error"]["reason"] == "Unavailable"
        assert token not in answer.text
        assert token not in caplog.text
    for failing in (door.api.broken, door.api.forbidden, door.api.busy):
        failing.clear()
    assert door.get(token).status_code == 200


def test_a_status_of_another_shape_admits_nobody(door: Door) -> None:
    for status in (
        None,
        [],
        {"authenticated": "true", "user": USER},
        {"authenticated": True},
        {"user": USER},
    ):
        door.api.broken[TOKEN_REVIEWS] = json.dumps({"status": status}).encode()
        assert door.get(door.token()).status_code == 401, status
    del door.api.broken[TOKEN_REVIEWS]
    for status in (None, {"allowed": "true"}, {"allowed": True, "denied": True}, {}):
        door.api.broken[ACCESS_REVIEWS] = json.dumps({"status": status}).encode()
        assert door.get(door.token()).status_code == 403, status


def test_an_expired_token_is_not_remembered_beyond_its_end(door: Door) -> None:
    token = SigningKey.rsa().token(exp=int(time.time()) + 1)
    door.api.users[token] = {"user": USER}
    assert door.get(token).status_code == 200
    del door.api.users[token]
    time.sleep(1.1)
    assert door.get(token).status_code == 401


def verifier(api: KubeApi, folder: Path, *audiences: str, limits: Limits = LIMITS) -> ReviewVerifier:
    """One that asks a cluster directly."""
    config = ClusterConfig("prod", kubeconfig=api.kubeconfig(folder))
    return ReviewVerifier(partial(connect, config, limits), audiences)


def test_audiences(tmp_path: Path) -> None:
    """With an audience of our own, a token for another one, or for nobody in particular, is refused."""
    with kube_api() as api:
        api.may = lambda _spec: True
        ours = verifier(api, tmp_path, "aotanami")
        for token, audiences, kind in (
            ("right", ["aotanami", "x"], Admitted),
            ("other", ["https://kubernetes"], NotValid),
            ("none", [], NotValid),
        ):
            api.users[token] = {"user": USER, "audiences": audiences}
            assert isinstance(ours.verify(token, GET), kind), token
        assert api.posted[0][1]["spec"] == {"token": "right", "audiences": ["aotanami"]}


def test_the_scope_follows_from_what_was_asked(tmp_path: Path) -> None:
    with kube_api() as api:
        api.may, api.users["t"] = (lambda _spec: True), {"user": USER}
        ask = verifier(api, tmp_path)
        for verb, scope in (("get", Scope.READ), ("head", Scope.READ), ("post", Scope.WRITE)):
            assert ask.verify("t", Question(verb, "/api/v1/x")) == Admitted(
                Caller(kind="kubernetes", name=SUBJECT, scope=scope)
            )


def test_the_server_does_without_a_cluster_that_hangs(tmp_path: Path) -> None:
    """What was admitted just now still is, for a minute; everybody else is asked to come back."""

    class Nobody:
        async def authenticate(self, _credential: str, _requested: Requested, /) -> Caller | None:
            return None

    async def scenario() -> None:
        seconds = 0.0
        door = KubernetesAuthenticator(Nobody(), ask, verdicts=Verdicts(clock=lambda: seconds))
        wanted = Requested(method="GET", path=CLUSTERS, base_path="/api/v1")
        assert await door.authenticate("known", wanted) is not None
        api.slow[TOKEN_REVIEWS] = 5
        seconds = 59.0
        assert await door.authenticate("known", wanted) is not None
        for credential, later in (("late", 59.0), ("known", 61.0)):
            seconds = later
            with pytest.raises(Unavailable) as refused:
                await door.authenticate(credential, wanted)
            assert refused.value.retry_after == 5

    with kube_api() as api:
        api.may, api.users["known"] = (lambda _spec: True), {"user": USER}
        ask = verifier(api, tmp_path, limits=Limits(read=0.2, total=0.2))
        asyncio.run(scenario())


def test_a_flood_of_bad_tokens_does_not_push_good_ones_out() -> None:
    verdicts = Verdicts()
    good = Verdicts.key("good", GET)
    verdicts.put(good, Admitted(Caller(kind="kubernetes", name="a", scope=Scope.READ)))
    for number in range(MOST_REMEMBERED + 10):
        verdicts.put((number.to_bytes(4), "get", "/"), NotValid("No."))
    assert isinstance(verdicts.get(good), Admitted)
    assert verdicts.get(((5).to_bytes(4), "get", "/")) is None
    assert b"good" not in good[0]
