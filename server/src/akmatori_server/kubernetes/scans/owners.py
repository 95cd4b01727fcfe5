"""What makes what: a Deployment is checked, and the pods that it makes are not checked again."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from akmatori_server.kubernetes.workloads import Reference, Workload


@attrs.define
class _Owned:
    """Pods of one owner: the first stands for all."""

    workload: Workload
    count: int


@attrs.define
class Owners:
    """Puts aside what has an owner, until it is known whether the owner is checked itself."""

    passed_over: int = 0
    """How many were not checked because what makes them was."""
    _seen: set[int] = attrs.field(factory=set[int])
    _owners: dict[Reference, Reference] = attrs.field(factory=dict[Reference, Reference])
    _owned: dict[Reference, _Owned] = attrs.field(factory=dict[Reference, _Owned])

    def is_its_own(self, workload: Workload) -> bool:
        """Whether the workload is to be checked now; if not, it is counted or put aside."""
        reference, owner = workload.reference, workload.owner
        # A static pod is made by its node, and by nothing that could be checked.
        if owner is None or owner.kind == "Node":
            self._seen.add(hash(reference))
            return True
        if reference.kind != "Pod":
            # Nothing is made by pods.
            self._seen.add(hash(reference))
            self._owners[reference] = owner
        top = self._top(owner)
        if top != reference and hash(top) in self._seen and top not in self._owners:
            self.passed_over += 1
        elif owner in self._owned:
            self._owned[owner].count += 1
        else:
            self._owned[owner] = _Owned(workload, 1)
        return False

    def orphans(self) -> Iterator[tuple[Workload, Reference, int]]:
        """Return what was put aside and whose owner was not checked: one for all of an owner, with their number."""
        tops: dict[Reference, _Owned] = {}
        for owner, owned in self._owned.items():
            top = self._top(owner)
            if hash(top) in self._seen:
                # It was checked itself; its pods say the same again.
                self.passed_over += owned.count
            elif top in tops:
                tops[top].count += owned.count
            else:
                tops[top] = owned
        for top, owned in tops.items():
            yield owned.workload, top, owned.count

    def _top(self, reference: Reference) -> Reference:
        seen: set[Reference] = set()
        while reference not in seen and (owner := self._owners.get(reference)) is not None:
            seen.add(reference)
            reference = owner
        return reference
