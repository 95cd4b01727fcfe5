"""What to look for: the words of a case, by how much each says about the problem."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from akmatori_server.investigation.facts import Facts
from akmatori_server.investigation.rules.words import synonyms, words

# Labels that say what is wrong or with what kind of thing, rather than which one of many it is.
TELLING_LABELS = (
    "alertname", "alertgroup", "category", "check", "component", "job", "service", "app", "reason", "device",
    "fstype", "mountpoint", "queue", "topic", "container", "resource", "metric", "type",
)  # fmt: skip
MOST_WORDS = 40
MOST_SYNONYMS = 24


@attrs.frozen
class Query:
    """The words of a case: `naming` from what it is called, `describing` from what is said about it."""

    naming: tuple[str, ...]
    describing: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words for a full-text search, synonyms included."""
        own = [*self.naming, *self.describing][:MOST_WORDS]
        others = (other for word in own for other in sorted(synonyms(word)))
        return " ".join([*own, *[word for word in dict.fromkeys(others) if word not in own][:MOST_SYNONYMS]])


def build_query(facts: Facts) -> Query:
    """Choose the words to look for."""
    naming = words(facts.name or facts.task)
    said = [facts.summary, facts.description, facts.metric_name, facts.service, *_labels(facts.labels)]
    if facts.name:
        said.append(facts.task)
    said += facts.given.values()
    describing = [word for word in words("\n".join(said)) if word not in naming]
    return Query(tuple(naming[:MOST_WORDS]), tuple(describing[:MOST_WORDS]))


def _labels(labels: Mapping[str, str]) -> list[str]:
    return [labels[name] for name in TELLING_LABELS if name in labels and name != "alertname"]
