"""Comparing one object with what it should be. Pure.

Only what the desired state says is compared: what it leaves open, the cluster may decide. What was applied
once, is not desired any more and is still there is a difference as well (a three-way comparison, as of kubectl).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from akmatori_sdk._generated.aotanami.models import DriftOperation
from akmatori_server.kubernetes.drift.lists import canonical, is_set, keyed
from akmatori_server.kubernetes.drift.model import Change, Place
from akmatori_server.kubernetes.drift.values import is_empty, same_scalar
from akmatori_server.kubernetes.manifests import MISSING, Node

Leaves: TypeAlias = Callable[[Place], bool]
"""Whether a field is left out of the comparison."""


def compare(
    desired: Node, live: Node, last_applied: Node = MISSING, *, leaves_out: Leaves
) -> Iterator[Change]:
    """Yield the fields of an object that differ.

    Args:
        desired: as it should be.
        live: as it is.
        last_applied: as it was last applied; missing when that is not known.
        leaves_out: tells fields that are not compared.
    """
    yield from _members(desired, live, last_applied, (), leaves_out)


def _members(desired: Node, live: Node, applied: Node, place: Place, leaves_out: Leaves) -> Iterator[Change]:
    for name, wanted in desired.named():
        yield from _value(wanted, live.get(name), applied.get(name), (*place, name), leaves_out)
    for name, once in applied.named():
        there, at = live.get(name), (*place, name)
        if desired.get(name) is MISSING and not is_empty(there) and not leaves_out(at) and not is_empty(once):
            yield Change(place=at, operation=DriftOperation.REMOVE, desired=None, live=there)


def _value(desired: Node, live: Node, applied: Node, place: Place, leaves_out: Leaves) -> Iterator[Change]:
    if leaves_out(place) or (is_empty(desired) and is_empty(live)):
        return
    if live is MISSING or not live.exists:
        # Left out by the API server, since it is what it is without being said.
        if desired.scalar is not None and desired.boolean() is False:
            return
        yield Change(place=place, operation=DriftOperation.ADD, desired=desired, live=None)
    elif desired.members is not None and live.members is not None:
        yield from _members(desired, live, applied, place, leaves_out)
    elif desired.items is not None and live.items is not None:
        yield from _items(desired, live, applied, place, leaves_out)
    elif desired.scalar is None or live.scalar is None or not same_scalar(desired, live, place):
        yield Change(place=place, operation=DriftOperation.REPLACE, desired=desired, live=live)


def _items(desired: Node, live: Node, applied: Node, place: Place, leaves_out: Leaves) -> Iterator[Change]:
    by_key = keyed(place, desired, live)
    if by_key is not None:
        yield from _keyed(by_key[0], by_key[1], (keyed(place, applied) or [{}])[0], place, leaves_out)
    elif is_set(place):
        if {canonical(item) for item in desired.each()} != {canonical(item) for item in live.each()}:
            yield Change(place=place, operation=DriftOperation.REPLACE, desired=desired, live=live)
    elif len(desired.each()) != len(live.each()):
        yield Change(place=place, operation=DriftOperation.REPLACE, desired=desired, live=live)
    else:
        for number, (wanted, there) in enumerate(zip(desired.each(), live.each(), strict=True)):
            yield from _value(wanted, there, MISSING, (*place, f"[{number}]"), leaves_out)


def _keyed(
    desired: dict[str, Node],
    live: dict[str, Node],
    applied: dict[str, Node],
    place: Place,
    leaves_out: Leaves,
) -> Iterator[Change]:
    for key, wanted in desired.items():
        yield from _value(
            wanted, live.get(key, MISSING), applied.get(key, MISSING), (*place, f"[{key}]"), leaves_out
        )
    for key, there in live.items():
        # A container that nobody wants is a difference; one that a webhook injects is for the operator to ignore.
        at = (*place, f"[{key}]")
        if key not in desired and (key in applied or place[-1] in _WHOLE) and not leaves_out(at):
            yield Change(place=at, operation=DriftOperation.REMOVE, desired=None, live=there)


# Lists of which the desired state says all that belongs in them.
_WHOLE = frozenset({"containers", "initContainers", "ports", "env", "imagePullSecrets"})
