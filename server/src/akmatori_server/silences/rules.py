"""What makes a silence: pure decisions about what a caller wrote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import attrs

from akmatori_server.errors import BadRequest, Conflict
from akmatori_server.matching import Matcher, MatcherError, Operator, parse_matcher
from akmatori_server.silences.models import Silence, SilenceState, SilenceText

# A year, whichever it is.
LONGEST = timedelta(days=366)
# Beyond lies a typing error in the year.
FURTHEST_BEGINNING = timedelta(days=3660)


@attrs.frozen
class MatcherMembers:
    """A matcher as a caller gives it by its members."""

    name: str
    operator: str
    value: str


@attrs.frozen(kw_only=True)
class WrittenSilence:
    """What a caller wrote; None is what was left out."""

    matchers: Sequence[str | MatcherMembers] | None = None
    comment: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    duration: timedelta | None = None


def new_silence(written: WrittenSilence, *, now: datetime) -> SilenceText:
    """Return the silence that a caller wants; without a beginning, or with one in the past, it begins now.

    Raises:
        BadRequest: it breaks a rule; `details` has a sentence for each.
    """
    complaints = _Complaints()
    starts_at = _beginning(written.starts_at, now, complaints)
    if written.ends_at is None and written.duration is None:
        complaints.add("ends_at", "say when the silence ends, here or by duration_seconds.")
    text = SilenceText(
        matchers=_matchers(written.matchers or (), complaints),
        starts_at=starts_at,
        ends_at=_end(written, starts_at, now, complaints) or now,
        comment=_comment(written.comment or "", complaints),
    )
    complaints.refuse()
    return text


def changed_silence(stored: Silence, written: WrittenSilence, *, now: datetime) -> SilenceText:
    """Return what the silence is to be: what was left out stays.

    Raises:
        Conflict: it is over.
        BadRequest: the change breaks a rule; `details` has a sentence for each.
    """
    state = stored.state_at(now)
    if state is SilenceState.EXPIRED:
        raise Conflict("This silence is over and cannot be changed; create another one.", code="silence_over")
    complaints = _Complaints()
    starts_at = stored.starts_at
    if written.starts_at is not None and written.starts_at != starts_at:
        if state is SilenceState.ACTIVE:
            complaints.add("starts_at", "the silence has begun, so its beginning cannot be changed.")
        else:
            starts_at = _beginning(written.starts_at, now, complaints)
    if written.ends_at is None and written.duration is None:
        written = attrs.evolve(written, ends_at=stored.ends_at)
    text = SilenceText(
        matchers=stored.matchers if written.matchers is None else _matchers(written.matchers, complaints),
        starts_at=starts_at,
        ends_at=_end(written, starts_at, now, complaints) or stored.ends_at,
        comment=stored.comment if written.comment is None else _comment(written.comment, complaints),
    )
    complaints.refuse()
    return text


class _Complaints:
    """What is wrong, by member; the first sentence about a member is kept."""

    def __init__(self) -> None:
        self._sentences: dict[str, str] = {}

    def add(self, member: str, sentence: str) -> None:
        self._sentences.setdefault(member, sentence)

    def about(self, member: str) -> bool:
        return any(place == member or place.startswith(f"{member}[") for place in self._sentences)

    def refuse(self) -> None:
        if not self._sentences:
            return
        member, sentence = next(iter(self._sentences.items()))
        others = len(self._sentences) - 1
        more = f" So {'is' if others == 1 else 'are'} {others} more; see details." if others else ""
        raise BadRequest(f"{member}: {sentence}{more}", details=self._sentences)


def _matchers(written: Sequence[str | MatcherMembers], complaints: _Complaints) -> tuple[Matcher, ...]:
    read: list[Matcher] = []
    for index, one in enumerate(written):
        try:
            read.append(_matcher(one))
        except MatcherError as error:
            complaints.add(f"matchers[{index}]", str(error))
    if not complaints.about("matchers") and all(matcher.matches_empty for matcher in read):
        complaints.add(
            "matchers",
            "at least one must not match the empty text; else the silence is about every alert.",
        )
    # One that stands there twice says no more than once.
    return tuple(dict.fromkeys(read))


def _matcher(written: str | MatcherMembers) -> Matcher:
    if isinstance(written, str):
        return parse_matcher(written)
    try:
        operator = Operator(written.operator)
    except ValueError as error:
        raise MatcherError("The operator is one of =, !=, =~ and !~.") from error
    return Matcher(written.name, operator, written.value)


def _comment(written: str, complaints: _Complaints) -> str:
    comment = written.strip()
    if not comment:
        complaints.add("comment", "must not be blank: say why the alerts are expected.")
    return comment


def _beginning(written: datetime | None, now: datetime, complaints: _Complaints) -> datetime:
    # History is not rewritten: what was delivered before now was not silenced.
    if written is None or written <= now:
        return now
    if written - now > FURTHEST_BEGINNING:
        complaints.add("starts_at", "lies more than ten years ahead.")
        return now
    return written.astimezone(UTC)


def _end(
    written: WrittenSilence, starts_at: datetime, now: datetime, complaints: _Complaints
) -> datetime | None:
    """Return the end; None when there is none that could be used."""
    if complaints.about("starts_at"):
        # Every sentence about the end would be about a beginning that nobody asked for.
        return None
    if written.duration is not None:
        if written.ends_at is not None:
            complaints.add("duration_seconds", "give this or ends_at, not both.")
            return None
        ends_at, member = max(starts_at, now) + written.duration, "duration_seconds"
    elif written.ends_at is not None:
        ends_at, member = written.ends_at, "ends_at"
    else:
        return None
    if ends_at <= starts_at:
        complaints.add(member, "the end must come after the beginning.")
    elif ends_at <= now:
        complaints.add(member, "lies in the past; delete the silence to end it now.")
    elif ends_at - starts_at > LONGEST:
        complaints.add(member, f"a silence lasts {LONGEST.days} days at most; make it shorter.")
    else:
        return ends_at.astimezone(UTC)
    return None
