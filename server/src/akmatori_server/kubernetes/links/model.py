"""The objects that point at others, kept by what finds them: a label, or a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, Protocol, TypeAlias, TypeVar

import attrs

from akmatori_server.kubernetes.manifests import Source
from akmatori_server.kubernetes.selectors import Selector
from akmatori_server.kubernetes.workloads import Reference

_Label: TypeAlias = tuple[str, str, str]
"""A namespace, and a name and a value."""


class Picker(Protocol):
    """Something that picks pods of its own namespace."""

    @property
    def reference(self) -> Reference:
        """Its names."""
        ...

    @property
    def selector(self) -> Selector:
        """By which labels."""
        ...


T = TypeVar("T", bound=Picker)


@attrs.frozen
class PickingPolicy:
    """A NetworkPolicy, as far as it picks pods."""

    reference: Reference
    selector: Selector


@attrs.frozen
class Service:
    """A Service that picks pods."""

    reference: Reference
    selector: Selector
    until_ready: bool = True
    """Whether pods get no connections until they are ready."""
    target_ports: frozenset[str] = frozenset()
    """The names of ports of containers that it sends connections to."""


@attrs.frozen
class Budget:
    """A PodDisruptionBudget; one of the two numbers is written, as a number or in percent."""

    reference: Reference
    selector: Selector
    min_available: str = ""
    max_unavailable: str = ""


@attrs.frozen
class Autoscaler:
    """What decides how many replicas a workload has: so many at least, and at most."""

    target: Reference
    minimum: int
    maximum: int
    reference: Reference
    source: Source


@attrs.frozen
class PodPickers(Generic[T]):
    """Finds who picks a pod, without asking everybody of its namespace."""

    _by_label: Mapping[_Label, tuple[T, ...]] = attrs.field(factory=dict[_Label, tuple[T, ...]])
    _others: Mapping[str, tuple[T, ...]] = attrs.field(factory=dict[str, tuple[T, ...]])
    """By namespace: those that pick by expressions alone, or everything."""

    @classmethod
    def of(cls, pickers: Iterable[T]) -> PodPickers[T]:
        """Put each where the rarest of its labels leads to it: a label that all share would lead to all."""
        found = list(pickers)
        shared = Counter(label for picker in found for label in _labels(picker))
        by_label: dict[_Label, tuple[T, ...]] = {}
        others: dict[str, tuple[T, ...]] = {}
        for picker in found:
            rarest = min(_labels(picker), key=lambda label: (shared[label], label), default=None)
            if rarest is None:
                namespace = picker.reference.namespace
                others[namespace] = (*others.get(namespace, ()), picker)
            else:
                by_label[rarest] = (*by_label.get(rarest, ()), picker)
        return cls(by_label, others)

    def picking(self, namespace: str, labels: Mapping[str, str]) -> Iterator[T]:
        """Return those that pick pods with these labels."""
        for label in labels.items():
            for picker in self._by_label.get((namespace, *label), ()):
                if picker.selector.picks(labels):
                    yield picker
        for picker in self._others.get(namespace, ()):
            if picker.selector.picks(labels):
                yield picker


@attrs.frozen
class Links:
    """All objects that point at others, as far as they were read."""

    services: PodPickers[Service] = attrs.field(factory=PodPickers[Service])
    budgets: PodPickers[Budget] = attrs.field(factory=PodPickers[Budget])
    policies: PodPickers[PickingPolicy] = attrs.field(factory=PodPickers[PickingPolicy])
    autoscalers: Mapping[Reference, Autoscaler] = attrs.field(factory=dict[Reference, Autoscaler])
    """By what they scale."""
    ports: Mapping[Reference, frozenset[str] | None] = attrs.field(
        factory=dict[Reference, frozenset[str] | None]
    )
    """Every Service that was read, with the names and numbers of its ports; None for one that has any."""
    service_namespaces: frozenset[str] = frozenset()
    """The namespaces in which a Service was read."""


def _labels(picker: Picker) -> Iterator[_Label]:
    namespace = picker.reference.namespace
    return ((namespace, name, value) for name, value in picker.selector.labels.items())
