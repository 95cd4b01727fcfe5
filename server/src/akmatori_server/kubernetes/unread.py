"""What was not read of a live cluster: kinds, and the namespaces in which those were read all the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from akmatori_server.kubernetes.manifests import Problem

_NOWHERE = frozenset[str]()


@attrs.frozen
class Unread:
    """The kinds that were not read to their end."""

    known_in: Mapping[str, frozenset[str]] = attrs.field(factory=dict[str, frozenset[str]])
    """Each of them, with the namespaces in which all of its objects were read."""

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Unread:
        """Return what these problems say is missing."""
        found: dict[str, frozenset[str]] = {}
        for problem in problems:
            for kind in problem.missing:
                # Twice told, only what both know is known.
                found[kind] = found.get(kind, problem.known_in) & problem.known_in
        return cls(found)

    @property
    def kinds(self) -> frozenset[str]:
        """Their names."""
        return frozenset(self.known_in)

    def is_known(self, kind: str, namespace: str) -> bool:
        """Whether all objects of a kind in a namespace were read; of no namespace, all there are."""
        return kind not in self.known_in or namespace in self.known_in[kind]

    def known_of(self, kinds: Iterable[str]) -> frozenset[str]:
        """Return the namespaces in which all of some kinds were read that were not read everywhere."""
        known = [self.known_in[kind] for kind in kinds if kind in self.known_in]
        return frozenset[str].intersection(*known) if known else _NOWHERE


ALL_READ = Unread()
