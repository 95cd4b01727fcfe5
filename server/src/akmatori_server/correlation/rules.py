"""Deciding which alerts are one incident: pure, from the alert's values and the rules alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta

import attrs

from akmatori_server.matching import Matcher, value_of

DEFAULT_WINDOW = timedelta(minutes=30)
# With the digest a key must fit into the 255 characters of its column.
LONGEST_NAME = 128
GROUP = "group"
SINGLE = "single"


@attrs.frozen(kw_only=True)
class Rule:
    """Alerts that fit the matchers and have equal values of `by` are one incident."""

    name: str
    matchers: tuple[Matcher, ...] = ()
    by: tuple[str, ...]
    # How long after the end of its alerts an incident may be joined or reopened; None: as the document says.
    window: timedelta | None = None


@attrs.frozen(kw_only=True)
class Placement:
    """Where an alert belongs: alerts with the same key are one incident."""

    rule: str
    key: str
    window: timedelta
    compared: tuple[tuple[str, str], ...]


@attrs.frozen(kw_only=True)
class MatcherResult:
    """One matcher of a rule, and what it found in an alert."""

    matcher: str
    value: str
    matched: bool


@attrs.frozen(kw_only=True)
class Consideration:
    """One rule that was looked at for an alert."""

    name: str
    matched: bool
    # In their order, up to the first that does not fit.
    matchers: tuple[MatcherResult, ...]
    # Why the rule does not apply although its matchers fit; "" otherwise.
    reason: str


# What holds without any rule of the operator, and after all of them.
BUILT_IN = (
    Rule(name=GROUP, by=("source", "group_key")),
    Rule(name=SINGLE, by=("source", "fingerprint")),
)
# `silence` and `storm` stand where a rule would when those decide about an alert.
RESERVED_NAMES = frozenset((*(rule.name for rule in BUILT_IN), "silence", "storm"))


@attrs.frozen
class RuleBook:
    """The operator's rules in their order; the built-in ones follow them."""

    rules: tuple[Rule, ...] = ()
    window: timedelta = DEFAULT_WINDOW

    def place(self, fields: Mapping[str, str]) -> Placement:
        """Return where the alert belongs: the first rule that fits decides.

        Args:
            fields: the alert's values, from `alerts.fields.fields_of`.
        """
        rule = next(rule for rule in (*self.rules, *BUILT_IN) if _fits(rule, fields))
        compared = _values(rule, fields)
        return Placement(
            rule=rule.name,
            key=f"{rule.name}:{_digest(rule.name, compared)}",
            window=self.window if rule.window is None else rule.window,
            compared=compared,
        )

    def consider(self, fields: Mapping[str, str]) -> tuple[Consideration, ...]:
        """Say what each rule found in these values, up to the one that fits."""
        considered: list[Consideration] = []
        for rule in (*self.rules, *BUILT_IN):
            considered.append(_consider(rule, fields))
            if considered[-1].matched:
                break
        return tuple(considered)


NO_RULES = RuleBook()


def _fits(rule: Rule, fields: Mapping[str, str]) -> bool:
    return all(matcher.matches(fields) for matcher in rule.matchers) and _has_values(rule, fields)


def _has_values(rule: Rule, fields: Mapping[str, str]) -> bool:
    """Whether there is anything to compare: alerts that only lack the same values have nothing in common."""
    if rule.name == GROUP:
        # Every alert has a source; what makes a group is the key.
        return bool(fields.get("group_key"))
    return any(value_of(fields, name) for name in rule.by)


def _values(rule: Rule, fields: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value_of(fields, name)) for name in rule.by)


def _consider(rule: Rule, fields: Mapping[str, str]) -> Consideration:
    results: list[MatcherResult] = []
    for matcher in rule.matchers:
        matched = matcher.matches(fields)
        results.append(
            MatcherResult(matcher=str(matcher), value=value_of(fields, matcher.name), matched=matched)
        )
        if not matched:
            return Consideration(name=rule.name, matched=False, matchers=tuple(results), reason="")
    has_values = _has_values(rule, fields)
    return Consideration(
        name=rule.name,
        matched=has_values,
        matchers=tuple(results),
        reason="" if has_values else _nothing_to_compare(rule),
    )


def _nothing_to_compare(rule: Rule) -> str:
    if rule.name == GROUP:
        return "Its source did not say which group the alert is in."
    return f"The alert has no value of {' or '.join(rule.by)}, so there is nothing to compare."


def _digest(rule: str, compared: Iterable[tuple[str, str]]) -> str:
    digest = hashlib.sha256()
    for text in (rule, *(text for pair in compared for text in pair)):
        encoded = text.encode("utf-8", "surrogatepass")
        # With its length, ("ab", "c") and ("a", "bc") differ.
        digest.update(f"{len(encoded)}:".encode() + encoded)
    return digest.hexdigest()
