"""What people are told of the incidents of Kubernetes clusters: by the same queue, to the same places, once."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from akmatori_sdk import Aotanami
from akmatori_server.agent.tables import llm_usage
from akmatori_server.app import create_aotanami_app
from akmatori_server.config import Settings
from akmatori_server.engine.memory_engine import MemoryEngine
from akmatori_server.http.call import Scope
from akmatori_server.installation import open_installation
from akmatori_server.kubernetes.configuration import KubernetesSettings
from akmatori_server.kubernetes.incidents.announcement import IncidentAnnouncer
from akmatori_server.kubernetes.incidents.service import IncidentService
from akmatori_server.kubernetes.incidents.tables import (
    k8s_incident_baselines,
    k8s_incident_clusters,
    k8s_incident_marks,
    k8s_incidents,
)
from akmatori_server.kubernetes.token_usage.service import UsageOptions, UsageService
from akmatori_server.notifications.announcer import Announcer
from akmatori_server.notifications.channels import Channels
from akmatori_server.notifications.tables import notifications
from tests.server.agent.test_http import finished
from tests.server.agent.texts import REPORT
from tests.server.kubernetes.incidents.world import World, acknowledge, crashing, node, pod, warning
from tests.support.databases import copied_database
from tests.support.kube_api import KubeApi, kube_api
from tests.support.llm import Ask, Say, scripted
from tests.support.origin import Origin, running_origin
from tests.support.running import serve
from tests.support.site import Site, logged_in, running_site
from tests.support.slack import CHANNEL, TOKEN, Answer, SlackMessage, SlackServer, slack_server

BASE = "https://akmatori.example.net"


class Place:
    """A server with Slack, and a cluster whose clock is that of the test."""

    def __init__(
        self, site: Site, slack: SlackServer, api: KubeApi, folder: Path, engine: MemoryEngine
    ) -> None:
        self.site, self.slack, self.api, self.engine = site, slack, api, engine
        self._folder = folder
        installation = site.installation
        self.announcer = Announcer(Channels(installation.secrets), engine)
        self.client = Aotanami(site.base_url, api_key=site.key(Scope.READ))
        self.world = self.new_world()

    def new_world(self) -> World:
        """Return the cluster without any past. It began hours ago: what will be is not sent yet."""
        start = datetime.now(UTC) - timedelta(hours=4)
        self.world = World(self.api, self.site.installation.database, self._folder, start=start)
        self.world.service = self.service()
        return self.world

    def service(self) -> IncidentService:
        """Return a server's part in it."""
        return IncidentService(self.world.site, tell=IncidentAnnouncer(self.announcer).tell)

    def told(self, **wanted: Any) -> list[Any]:
        """List what was told, the oldest first."""
        return list(reversed(list(self.client.notifications.list(**wanted))))

    def wait(self, number: int) -> list[SlackMessage]:
        """Wait until so many messages are in Slack and everything is sent, and return them."""
        self.slack.until(lambda: len(self.slack.messages) >= number and self.waiting() == 0)
        assert len(self.slack.messages) == number, [one.text for one in self.slack.messages]
        return self.slack.messages

    def waiting(self) -> int:
        """Count what is not sent yet."""
        query = sa.select(sa.func.count()).where(notifications.c.state.in_(["pending", "failed"]))
        with self.site.installation.database.read() as connection:
            return int(connection.execute(query).scalar_one())


@pytest.fixture(scope="module")
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[Place, httpx.Client]]:
    """A server that talks to Slack and watches a cluster."""
    directory: Path = tmp_path_factory.mktemp("server")
    engine = MemoryEngine()
    with (
        slack_server() as slack,
        kube_api() as api,
        copied_database("sqlite", directory, request) as url,
        running_site(
            url,
            directory / "data",
            engine=engine,
            slack_api_url=slack.url,
            more={
                "kubernetes": KubernetesSettings(
                    kubeconfig=api.kubeconfig(directory), token_budget=(0, 0, 300)
                )
            },
        ) as site,
    ):
        place = Place(site, slack, api, directory, engine)
        for admin in logged_in(site):
            yield place, admin
        place.client.close()


@pytest.fixture
def admin(whole: tuple[Place, httpx.Client]) -> httpx.Client:
    """The administrator."""
    return whole[1]


@pytest.fixture
def place(whole: tuple[Place, httpx.Client]) -> Place:
    """Slack is configured and empty, and nothing has ever happened."""
    place, admin = whole
    secrets = {"bot_token": TOKEN, "signing_secret": "s3cret", "app_token": "xapp-1"}
    admin.put("/api/settings/slack", json={**secrets, "alerts_channel": CHANNEL, "enabled": True})
    admin.put("/api/settings/general", json={"base_url": BASE})
    admin.put("/api/settings/notifications", json={"targets": [], "slack": {"min_severity": "info"}})
    place.slack.reset()
    place.api.objects.clear()
    with place.site.installation.database.write() as connection:
        # Two tests may begin in one second: what the first had read then would be known to the second.
        of_incidents = (k8s_incidents, k8s_incident_clusters, k8s_incident_marks, k8s_incident_baselines)
        for table in (notifications, *of_incidents, llm_usage):
            connection.execute(sa.delete(table))
    place.announcer = Announcer(Channels(place.site.installation.secrets), place.engine)
    place.new_world()
    return place


def rising(place: Place) -> None:
    """Let `web` crash twice, which is an incident of high severity, and then be killed for memory as well."""
    world = place.world
    world.read(pod())
    world.read(crashing(world.now, 1), warning("BackOff", world.now, count=3))


def test_an_incident_of_a_cluster_is_a_thread(place: Place) -> None:
    """It opens, is worse, and is over; the list of notifications tells what it was about."""
    world = place.world
    rising(place)
    [first] = place.wait(1)
    told = world.one().case
    assert first.text.startswith(f"*🟠 {told.title}*")
    for part in ("*Cluster:* prod", "*Resource:* Deployment shop/web", "*Severity:* high", "*Status:* open"):
        assert part in first.text
    assert first.text.endswith(
        f"<{BASE}/incidents/INC-{told.number:06d}|Open the incident> | Incident `{told.id}`"
    )
    assert first.reactions == ["rotating_light"]

    world.read(
        crashing(world.now, 2), warning("BackOff", world.now, count=4), warning("FailedMount", world.now),
        warning("Unhealthy", world.now, uid="2"), node("n1", Ready="True"),
    )  # fmt: skip
    with world.database.write() as connection:
        connection.execute(sa.update(k8s_incidents).values(severity="medium", rank=2))
    world.read(crashing(world.now, 3), warning("BackOff", world.now, count=5))
    _, worse = place.wait(2)
    assert worse.thread_ts == first.ts
    assert worse.text == "📈 *Worse:* The severity rose from medium to high."
    assert place.slack.calls[-2].arguments["reply_broadcast"] is True

    world.read(pod(), after=1)
    for _ in range(4):
        world.read(after=10)
    *_, over = place.wait(3)
    assert over.thread_ts == first.ts
    assert over.text.startswith("✅ *Resolved:* Nothing of it was there any more. (")
    assert "*Status:* resolved at" in first.text
    assert first.reactions == ["rotating_light", "white_check_mark"]

    opened, worsened, resolved = place.told()
    assert [one.status for one in place.told()] == ["sent"] * 3
    assert (opened.source, opened.resource_kind, opened.resource_name, opened.namespace) == (
        "kubernetes_incident", "Deployment", "web", "shop",
    )  # fmt: skip
    assert (opened.incident_id, opened.severity, opened.attempts) == (told.id, "high", 1)
    assert opened.dedup_key == f"slack:kubernetes_incident_opened:{told.id}"
    assert worsened.dedup_key == f"slack:kubernetes_incident_worsened:{told.id}:high"
    assert resolved.dedup_key == f"slack:kubernetes_incident_resolved:{told.id}"
    assert opened.metadata == {"cluster": "prod", "incident": told.id}


def test_who_has_acknowledged_is_left_alone(place: Place) -> None:
    """Until it is worse, or as long as was said."""
    world = place.world
    rising(place)
    number = world.one().case.id
    place.wait(1)
    acknowledge(world, number, by="ada", expires_at=world.now + timedelta(minutes=30))
    for count in range(4, 8):
        world.read(crashing(world.now, count), warning("BackOff", world.now, count=count))
    place.wait(1)

    world.read(crashing(world.now, 9), after=30)
    _, again = place.wait(2)
    assert again.text == "🔁 *Open again:* The acknowledgement of ada has expired."
    acknowledge(world, number, by="bob")
    with world.database.write() as connection:
        connection.execute(sa.update(k8s_incidents).values(severity="medium", rank=2))
    world.read(crashing(world.now, 10), warning("BackOff", world.now, count=10))
    *_, rose = place.wait(3)
    assert rose.text == "🔁 *Open again:* The severity rose from medium to high."
    kinds = [one.dedup_key.split(":")[1] for one in place.told()]
    assert kinds == ["kubernetes_incident_opened", *["kubernetes_incident_reopened"] * 2]


def test_an_acknowledgement_overtakes_what_waits(place: Place) -> None:
    """What could not be sent in time is no news for who knows of it already."""
    world = place.world
    rising(place)
    number = world.one().case.id
    place.wait(1)
    acknowledge(world, number, by="ada", expires_at=world.now + timedelta(minutes=1))
    place.slack.answer_next("chat.postMessage", Answer(503))
    world.now += timedelta(minutes=2)
    world.service.expire()
    acknowledge(world, number, by="ada")
    place.slack.until(lambda: place.waiting() == 0)
    assert len(place.slack.messages) == 1
    assert [one.status for one in place.told()] == ["sent", "filtered"]
    assert place.told()[-1].error == "ada has acknowledged it since."


def test_the_first_reading_of_a_bad_cluster_is_one_message(place: Place) -> None:
    """The worst ten and a number; what happens to one of them follows in the thread of all."""
    world = place.world
    names = [f"w{number:03}" for number in range(13)]
    now = world.now
    # More than one thing happens to each, so each is an incident at once.
    shown = [crashing(now, 3, owner=name) for name in names]
    shown += [warning("BackOff", now, count=3, about=("Pod", f"{name}-5d4f-a"), uid=name) for name in names]
    world.read(*shown, node("n1", Ready="False", since=now))
    [first] = place.wait(1)
    lines = first.text.splitlines()
    assert lines[0] == "*🔴 14 new incidents in the cluster prod*"
    assert sum(line.startswith("•") for line in lines) == 10
    assert "n1" in lines[1]
    assert "… and 4 more" in first.text
    assert lines[-1] == f"<{BASE}/incidents|Open the incidents>"
    [entry] = place.told()
    assert (entry.aggregated_count, entry.severity, entry.resource_kind) == (14, "critical", "Cluster")
    assert set(entry.metadata["incidents"].split()) == {
        incident.id for incident in place.client.incidents.list()
    }

    world.read(*shown, node("n1", Ready="True", since=now))
    for _ in range(2):
        world.read(*shown, node("n1", Ready="True", since=now), after=10)
    _, over = place.wait(2)
    assert over.thread_ts == first.ts
    assert "n1" in over.text.splitlines()[0]
    assert "chat.update" not in place.slack.methods()


def test_what_is_read_twice_is_told_once(place: Place) -> None:
    """A server that dies with the reading has told nobody; of two that read at once, one tells."""
    world = place.world
    world.read(pod())
    world.now += timedelta(minutes=1)
    world.shows(crashing(world.now, 1), warning("BackOff", world.now, count=3))

    def tell_and_die(*changed: Any) -> None:
        IncidentAnnouncer(place.announcer).tell(*changed)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        IncidentService(world.site, tell=tell_and_die).read()
    assert place.told() == []
    assert place.waiting() == 0
    others = [place.service() for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(one.read) for one in others]:
            done.result()
    place.service().read()
    place.wait(1)
    assert len(place.told()) == 1


def test_a_channel_is_told_from_its_severity_on(place: Place, admin: httpx.Client) -> None:
    """What is less bad is in the list, and nowhere else; once it is bad enough it begins a thread."""
    settings = {"slack": {"min_severity": "critical"}}
    answer = admin.put("/api/settings/notifications", json=settings).json()
    assert answer["slack"]["min_severity"] == "critical"
    assert len(answer["slack"]["kinds"]) == 12
    world = place.world
    rising(place)
    place.slack.until(lambda: [one.status for one in place.told()] == ["filtered"])
    assert place.told()[0].error == "The channel is told from the severity critical on."
    now = world.now
    world.read(
        crashing(now, 2), warning("BackOff", now, count=4), warning("FailedMount", now), warning("Unhealthy", now),
        node("n1", Ready="False", since=now),
    )  # fmt: skip
    [first] = place.wait(1)
    assert "n1" in first.text
    assert (
        admin.put("/api/settings/notifications", json={"slack": {"min_severity": "bad"}}).json()["error"]
        == "slack.min_severity: must be one of critical, high, info, warning."
    )


def test_the_server_reads_and_tells_other_places_too(place: Place, admin: httpx.Client) -> None:
    """As it is put together: by the clock of the engine, to Slack and to a webhook."""
    with running_origin() as hook:
        target = {"name": "hook", "url": hook.url.replace("http", "json") + "/x", "min_severity": "high"}
        assert admin.put("/api/settings/notifications", json={"targets": [target]}).status_code == 200
        place.world.shows(node("n9", since=datetime.now(UTC), Ready="False"))
        place.engine.jobs["k8s-incidents"]()
        [first] = place.wait(1)
        place.slack.until(lambda: bool(hook.asked))
        _check_hook(hook)
    assert "*Cluster:* local" in first.text
    listed = admin.get("/api/notifications", params={"kind": "kubernetes_incident_opened"}).json()
    assert {one["channel"] for one in listed} == {"slack", "hook"}
    assert {(one["incident_uuid"], one["resource_kind"], one["resource_name"]) for one in listed} == {
        (None, "Node", "n9")
    }


def test_aotanami_alone_tells_too(
    request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As its file says; nobody could ask it over the API."""
    engine = MemoryEngine()
    file = tmp_path / "notifications.yaml"
    with slack_server() as slack, kube_api() as api, copied_database("sqlite", tmp_path, request) as url:
        file.write_text(f"""
slack: {{bot_token: {TOKEN}, alerts_channel: "#alerts", kinds: [kubernetes_incident_opened], min_severity: high}}
targets: []
""")
        settings = Settings(
            data_dir=tmp_path / "data",
            database_url=url,
            base_url=BASE,
            slack_api_url=slack.url,
            notifications_file=file,
            kubernetes=KubernetesSettings(kubeconfig=api.kubeconfig(tmp_path)),
        )
        installation = open_installation(settings)
        app = create_aotanami_app(settings, installation=installation, engine=engine)
        with serve(app, on_stop=installation.stopping.begin) as base_url:
            api.put(node("n9", since=datetime.now(UTC), Ready="False"))
            engine.jobs["k8s-incidents"]()
            slack.until(lambda: bool(slack.top()))
            key = installation.auth.create_key("k", Scope.READ).text
            with Aotanami(base_url, api_key=key) as client:
                [told] = client.notifications.list()
    assert (told.status, told.incident_id, told.resource_name) == ("sent", "INC-000001", "n9")
    assert f"<{BASE}/incidents/INC-000001|" in slack.top()[0].text
    assert TOKEN not in caplog.text


def _check_hook(hook: Origin) -> None:
    [asked] = hook.asked
    assert "n9" in asked.json["title"]
    assert f"{BASE}/incidents/INC-" in asked.json["message"]
    # A node that is away is critical.
    assert asked.json["type"] == "failure"


@pytest.mark.soak
def test_an_investigation_that_uses_a_budget_up_is_told_of(place: Place, admin: httpx.Client) -> None:
    """By the server as it is put together: 220 tokens are not enough, 440 are, 660 are no news."""
    for number in (1, 2, 3):
        with scripted(Say("", (Ask("runbook_search", {"text": "disk"}),)), Say(REPORT)) as model:
            settings = {"api_key": "k", "model": "scripted-1", "base_url": model.base_url("custom")}
            answer = admin.put("/api/settings/llm", json={"provider": "custom", **settings})
            assert answer.status_code == 200, answer.text
            created = admin.post("/api/incidents", json={"task": f"Why is disk {number} full?"}).json()
            finished(admin, created["uuid"])
        place.wait(int(number > 1))
    [entry] = place.told()
    assert entry.title == "110 % of the monthly token budget are used"


def test_a_budget_is_told_of_once_in_its_window(place: Place) -> None:
    """When the share is reached, in the transaction that notes it; again in the next window."""
    now = datetime.now(UTC)
    options = UsageOptions(daily=1000, monthly=0, hourly=0, alert_percent=80)
    moments = [now]
    usage = UsageService(
        place.site.installation.database,
        options,
        now=lambda: moments[-1],
        model=lambda: None,
        announcer=place.announcer,
    )

    def spend(run: int, tokens: int) -> None:
        with place.site.installation.database.write() as connection:
            connection.execute(
                sa.insert(llm_usage).values(
                    incident_id=1, run=run, provider="openai", model="m", requests=1, input_tokens=tokens,
                    output_tokens=0, cached_tokens=0, tool_calls=0, began_ms=0, at=moments[-1],
                )
            )  # fmt: skip
            usage.spent(connection)

    spend(1, 799)
    assert place.waiting() == 0
    spend(2, 21)
    spend(3, 500)
    [told] = place.wait(1)
    assert "*Tokens of language models:* 82 % of the daily budget are used, 820 of 1,000." in told.text
    [entry] = place.told()
    assert (entry.source, entry.severity, entry.title) == (
        "token_usage", "medium", "82 % of the daily token budget are used",
    )  # fmt: skip
    moments.append(now - timedelta(days=40))
    spend(4, 900)
    place.wait(2)
