"""Payloads that an operator's template makes: any member may be missing, and none has a type to rely on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import attrs

from akmatori_server.alerts.adapters.batches import one_or_many
from akmatori_server.alerts.adapters.labels import labels_of
from akmatori_server.alerts.adapters.mapper import Draft, Mapper, Vendor
from akmatori_server.alerts.models import NormalisedAlert, Reading
from akmatori_server.errors import BadRequest


@attrs.frozen(kw_only=True)
class Template:
    """What is known of a vendor's templates."""

    # Members that may hold an array of alerts.
    batches: tuple[str, ...]
    # Every template has at least one of these members.
    known: frozenset[str]
    # What a variable looks like that the vendor had no value for.
    unfilled: re.Pattern[str]
    # Names the vendor's alert and some of the members, for the sentence about a body that has none.
    expected: str


DraftOf = Callable[[Mapper, Mapping[str, object], Mapping[str, str]], Draft]
"""Takes the mapper, an alert without unfilled variables, and its tags."""


def read_templated(
    document: object, mappings: Mapping[str, str], *, vendor: Vendor, template: Template, draft: DraftOf
) -> Reading:
    """Read the alert of a delivery, or every alert of a batch.

    Raises:
        BadRequest: the body has another shape; the sentence says where.
    """
    mapper = Mapper(vendor, mappings)

    def alert(place: str, raw: Mapping[str, object]) -> NormalisedAlert:
        event = {name: value for name, value in raw.items() if not _is_unfilled(value, template.unfilled)}
        labels = labels_of(event.get("tags"))
        # Tags are found by their names in whatever shape they were sent.
        scopes = (event, {"tags": labels, "labels": labels}, raw)
        if not template.known & event.keys() and not mapper.finds("alert_name", *scopes):
            raise BadRequest(
                f"{place}: there is no member of {template.expected}; map alert_name to where it is."
            )
        return mapper.alert(draft(mapper, event, labels), raw, *scopes)

    return mapper.reading([alert(place, raw) for place, raw in one_or_many(document, *template.batches)])


def _is_unfilled(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value.strip()) is not None
