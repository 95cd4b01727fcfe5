"""Placing alerts: a pure function of the rules and of what they look at."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akmatori_server.alerts.fields import fields_of
from akmatori_server.correlation.rules import NO_RULES, Rule, RuleBook
from akmatori_server.matching import parse_matcher
from tests.server.correlation.documents import alert, place

CLUSTERS = Rule(name="clusters", by=("labels.cluster", "labels.env"))
CRITICAL = Rule(name="critical", matchers=(parse_matcher('severity="critical"'),), by=("alert_name",))

# Short texts of few characters, among them those that a careless key would run together.
texts = st.text(alphabet="ab:1,", max_size=4)
values = st.tuples(texts, texts).filter(any)


@settings(deadline=None)  # the machine may be busy
@given(first=values, second=values)
def test_keys_are_equal_exactly_when_the_values_are(first: tuple[str, str], second: tuple[str, str]) -> None:
    """No two different values run together, whatever they are made of."""
    keys = [
        place(RuleBook((CLUSTERS,)), alert(labels={"cluster": one, "env": two})).key
        for one, two in (first, second)
    ]

    assert (keys[0] == keys[1]) == (first == second)


@settings(deadline=None)  # the machine may be busy
@given(value=texts.filter(bool), name=texts, host=texts, source=texts)
def test_nothing_else_of_the_alert_counts(value: str, name: str, host: str, source: str) -> None:
    """Alerts with the same values of the rule are one incident, across sources."""
    book = RuleBook((Rule(name="r", by=("labels.cluster",)),))
    usual = place(book, alert(labels={"cluster": value}))
    other = alert(
        name, labels={"cluster": value, "more": name}, host=host, fingerprint="other", group_key=name
    )

    assert place(book, other, source=source) == usual


def test_the_first_rule_that_fits_decides() -> None:
    """In the order of the document; the same rules in another order place otherwise."""
    one, two = Rule(name="one", by=("alert_name",)), Rule(name="two", by=("severity",))

    assert place(RuleBook((CRITICAL, one, two)), alert()).rule == "one"
    assert place(RuleBook((two, one)), alert()).rule == "two"


def test_another_rule_or_another_member_is_another_key() -> None:
    """An incident is never joined because a rule's values happen to be those of another rule."""
    labels = {"a": "x", "b": "x"}
    keys = {
        place(RuleBook((rule,)), alert(labels=labels)).key
        for rule in (
            Rule(name="r", by=("labels.a",)),
            Rule(name="r", by=("labels.b",)),
            Rule(name="s", by=("labels.a",)),
            Rule(name="r", by=("labels.a", "labels.none")),
        )
    }

    assert len(keys) == 4


def test_the_key_fits_its_column() -> None:
    """However long the name and the values are."""
    book = RuleBook((Rule(name="n" * 128, by=("labels.cluster",)),))

    assert len(place(book, alert(labels={"cluster": "x" * 100_000})).key) <= 255


def test_an_alert_that_has_nothing_to_compare_does_not_fit() -> None:
    """One value is enough; without any the next rule is asked, and `consider` says why."""
    book = RuleBook((CLUSTERS,))
    bare = alert()

    assert place(book, alert(labels={"env": "prod"})).compared == (
        ("labels.cluster", ""),
        ("labels.env", "prod"),
    )
    assert place(book, bare).rule == "single"
    considered = book.consider(fields_of(bare, source="prom", source_type="alertmanager"))
    assert [(one.name, one.matched) for one in considered] == [
        ("clusters", False),
        ("group", False),
        ("single", True),
    ]
    assert considered[0].reason == (
        "The alert has no value of labels.cluster or labels.env, so there is nothing to compare."
    )


def test_what_was_considered_ends_with_the_rule_that_places() -> None:
    """Each matcher with what it found, up to the first that does not fit."""
    picky = Rule(
        name="picky",
        matchers=tuple(parse_matcher(text) for text in ('alert_name="Disk"', "team=db", "x=y")),
        by=("alert_name",),
    )
    book = RuleBook((picky, CLUSTERS))
    one = alert(labels={"cluster": "c", "team": "web"})
    fields = fields_of(one, source="prom", source_type="alertmanager")

    first, second = book.consider(fields)

    assert [(look.matcher, look.value, look.matched) for look in first.matchers] == [
        ('alert_name="Disk"', "Disk", True),
        ('team="db"', "web", False),
    ]
    assert (second.name, second.matched) == ("clusters", True)
    assert book.place(fields).rule == second.name


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (alert(group_key="g", fingerprint="1"), alert(group_key="g", fingerprint="2"), True),
        (alert(group_key="g"), alert(group_key="h"), False),
        (alert(fingerprint="1"), alert(fingerprint="2"), False),
        (alert("A", fingerprint="1"), alert("B", fingerprint="1"), True),
    ],
)
def test_without_rules_the_sources_own_groups_and_fingerprints_decide(
    one: object, other: object, together: bool
) -> None:
    """Within a source, never across."""
    first, second = (place(NO_RULES, each) for each in (one, other))  # type: ignore[arg-type]  # parametrized

    assert (first.key == second.key) == together
    assert place(NO_RULES, alert(group_key="g"), source="a") != place(
        NO_RULES, alert(group_key="g"), source="b"
    )


def test_the_window_is_the_rules_own_or_the_documents() -> None:
    """Also for the built-in rules."""
    hour, day = timedelta(hours=1), timedelta(days=1)
    book = RuleBook((Rule(name="long", by=("labels.long",), window=day),), hour)

    assert place(book, alert(labels={"long": "x"})).window == day
    assert place(book, alert()).window == hour
    assert place(NO_RULES, alert()).window == timedelta(minutes=30)
