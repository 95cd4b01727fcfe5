"""Alerts as they come in earnest: in groups that grow, repeat, end and come back, each told by two peers.

A problem is one group of alerts with a script of deliveries. Two senders walk through the same problems, as two
Alertmanagers of a cluster do when they do not hear of each other: every delivery comes twice at least, and one
of them may be far behind. Whoever gets no answer sends the same again.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import attrs
import httpx

TEAMS = 4
PEERS = 2
PAUSE_SECONDS = 0.1
ANSWER_SECONDS = 120
# Of so many problems one is of the calm source, where each is an incident; the others are parts of one storm.
CALM_ONE_IN = 4
# Before now, as everything that a source tells.
BEGIN = datetime.now(UTC) - timedelta(minutes=5)


@attrs.frozen
class Told:
    """What one delivery says of one alert: when it began and ended, in seconds."""

    began: int
    ended: int | None = None

    @property
    def status(self) -> str:
        """Whether it fires."""
        return "firing" if self.ended is None else "resolved"


# The whole life of a group; a problem goes through some of it from the beginning, each step once or more often.
SCRIPT: Sequence[Mapping[str, Told]] = (
    {"a": Told(0)},
    {"a": Told(0), "b": Told(1)},
    {"a": Told(0, ended=2), "b": Told(1)},
    {"a": Told(0, ended=2), "b": Told(1, ended=3)},
    {"a": Told(4)},
    {"a": Told(4, ended=5)},
)


@attrs.frozen
class Problem:
    """One group of alerts, and how far its life goes; the same for everybody who knows the seed and the number."""

    number: int
    is_calm: bool
    steps: tuple[int, ...]

    @classmethod
    def numbered(cls, number: int, seed: int) -> Problem:
        """Return one of the problems of this seed."""
        chance = random.Random(f"{seed} {number}")
        length = chance.randint(1, len(SCRIPT))
        steps = [step for step in range(length) for _ in range(chance.choice((1, 1, 2)))]
        team, nth = number % TEAMS, number // TEAMS
        return cls(number, (team + nth) % CALM_ONE_IN == 0, tuple(steps))

    @property
    def statuses(self) -> Mapping[str, str]:
        """How each of its alerts, by fingerprint, is in the end."""
        last = {name: told for step in self.steps for name, told in SCRIPT[step].items()}
        return {self.fingerprint(name): told.status for name, told in last.items()}

    def fingerprint(self, name: str) -> str:
        """Return the fingerprint of one of its alerts."""
        return f"{self.number:015x}{name}"

    def body(self, step: int) -> bytes:
        """Return a delivery as Alertmanager sends it."""
        alerts = [self._alert(name, told) for name, told in SCRIPT[step].items()]
        group = {"alertname": "NodeDiskFilling", "instance": f"db-{self.number}:9100"}
        return json.dumps(
            {
                "version": "4",
                "groupKey": f'{{}}:{{instance="db-{self.number}:9100"}}',
                "truncatedAlerts": 0,
                "status": "firing" if "firing" in {alert["status"] for alert in alerts} else "resolved",
                "receiver": "akmatori",
                "groupLabels": group,
                "commonLabels": group,
                "commonAnnotations": {},
                "externalURL": "http://alertmanager.example.net:9093",
                "alerts": alerts,
            }
        ).encode()

    def _alert(self, name: str, told: Told) -> dict[str, object]:
        labels = {
            "alertname": "NodeDiskFilling",
            "instance": f"db-{self.number}:9100",
            "severity": "critical",
            "mountpoint": f"/{name}",
        }
        return {
            "status": told.status,
            "labels": labels,
            "annotations": {"summary": "/var is 93% full"},
            "startsAt": _moment(told.began),
            "endsAt": "0001-01-01T00:00:00Z" if told.ended is None else _moment(told.ended),
            "generatorURL": "http://prometheus.example.net/graph",
            "fingerprint": self.fingerprint(name),
        }


@attrs.define
class Load:
    """Several senders at once; use it in `with`. At the end they finish the problems that one of them began."""

    # Of the servers; each peer has one of its own, as far as there are more.
    addresses: Sequence[str]
    calm: str = attrs.field(kw_only=True)
    stormy: str = attrs.field(kw_only=True)
    seed: int = attrs.field(kw_only=True)
    acknowledged: set[str] = attrs.field(factory=set[str])
    deliveries: int = 0
    unanswered: int = 0
    refused: int = 0
    wrong: list[str] = attrs.field(factory=list[str])
    _begun: dict[int, int] = attrs.field(factory=dict[int, int])
    _lock: threading.Lock = attrs.field(factory=threading.Lock)
    _is_over: threading.Event = attrs.field(factory=threading.Event)
    _is_given_up: threading.Event = attrs.field(factory=threading.Event)
    _threads: list[threading.Thread] = attrs.field(factory=list[threading.Thread])

    def __enter__(self) -> Load:
        for team in range(TEAMS):
            for peer in range(PEERS):
                address = self.addresses[peer % len(self.addresses)]
                thread = threading.Thread(target=self._send_all, args=(team, address), daemon=True)
                thread.start()
                self._threads.append(thread)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._is_over.set()
        if kind is not None:
            # There may be nobody to answer them.
            self._is_given_up.set()
        for thread in self._threads:
            thread.join(ANSWER_SECONDS)
            assert kind is not None or not thread.is_alive(), "A sender got no answer to the end."

    def told(self) -> str:
        """Say how much it was."""
        return (
            f"{len(self.problems())} problems, {self.deliveries} deliveries acknowledged, {self.unanswered} left "
            f"without an answer, {self.refused} put off"
        )

    def problems(self) -> list[Problem]:
        """Return every problem that was told, to its end when the load is over."""
        return [
            Problem.numbered(number, self.seed)
            for team, last in self._begun.items()
            for number in range(team, last + 1, TEAMS)
        ]

    def _numbers(self, team: int) -> Iterator[int]:
        number = team
        while True:
            with self._lock:
                if self._is_over.is_set() and number > self._begun.get(team, -1):
                    return
                self._begun[team] = max(number, self._begun.get(team, -1))
            yield number
            number += TEAMS

    def _send_all(self, team: int, address: str) -> None:
        with httpx.Client(base_url=address, timeout=ANSWER_SECONDS) as client:
            for number in self._numbers(team):
                problem = Problem.numbered(number, self.seed)
                for step in problem.steps:
                    while not self._deliver(client, problem, step):
                        if self._is_given_up.wait(PAUSE_SECONDS):
                            return

    def _deliver(self, client: httpx.Client, problem: Problem, step: int) -> bool:
        """Send a delivery once; return whether it has to be sent no more."""
        webhook = self.calm if problem.is_calm else self.stormy
        try:
            answer = client.post(webhook, content=problem.body(step))
        except httpx.HTTPError:
            with self._lock:
                self.unanswered += 1
            return False
        with self._lock:
            if answer.status_code == 503 and "Retry-After" in answer.headers:
                self.refused += 1
                return False
            if answer.status_code != 200:
                self.wrong.append(f"{answer.status_code} {answer.text[:500]}")
            else:
                self.deliveries += 1
                self.acknowledged.update(problem.fingerprint(name) for name in SCRIPT[step])
            return True


def _moment(seconds: int) -> str:
    return (BEGIN + timedelta(seconds=seconds)).isoformat()
