"""The way from a service account to the whole cluster, over the accounts that it can act as."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import attrs

from akmatori_server.kubernetes.rbac.graph import Grant, Rbac
from akmatori_server.kubernetes.rbac.model import Account
from akmatori_server.kubernetes.rbac.powers import POWERS, Power

# Namespaces whose accounts and Secrets are those of the cluster itself.
_SYSTEM = "kube-system"
_LONGEST = 5
_MOST_ACCOUNTS = 2000


@attrs.frozen
class Step:
    """A right that an account holds, and where; nowhere in particular is everywhere."""

    account: Account
    power: Power
    grant: Grant

    def __str__(self) -> str:
        """Return it as a sentence without its end."""
        where = f" in {self.grant.namespace}" if self.grant.namespace else ""
        binding = self.grant.binding
        return f"{self.account} may {self.power.phrase}{where} ({binding.kind} {binding.name})"


@attrs.frozen
class Takeover:
    """How an account gets hold of the cluster: the last step is the one that gives it."""

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        """Return the way as a sentence without its end."""
        return "; as ".join(str(step) for step in self.steps)


def steps_of(rbac: Rbac, account: Account) -> Iterator[Step]:
    """Return the powers of an account, the mightiest first."""
    grants = list(rbac.granted_to(account))
    for power in POWERS:
        for grant in grants:
            if (power.namespaced or not grant.namespace) and power.holds(grant.rule):
                yield Step(account, power, grant)
                if not grant.namespace:
                    break


def find_takeover(rbac: Rbac, account: Account) -> Takeover | None:
    """Return the shortest way from an account to the whole cluster; None where there is none."""
    seen = {account}
    queue: deque[tuple[Step, ...]] = deque()
    for step in steps_of(rbac, account):
        if _gives_cluster(step):
            return Takeover((step,))
        queue.append((step,))
    while queue:
        way = queue.popleft()
        if not way[-1].power.as_account or len(way) >= _LONGEST or len(seen) > _MOST_ACCOUNTS:
            continue
        for other in rbac.accounts_in(way[-1].grant.namespace):
            if other in seen:
                continue
            seen.add(other)
            for step in steps_of(rbac, other):
                if _gives_cluster(step):
                    return Takeover((*way, step))
                queue.append((*way, step))
    return None


def _gives_cluster(step: Step) -> bool:
    """Whether nothing more is needed: held everywhere, or where the cluster keeps its own accounts."""
    if not step.power.everywhere:
        return False
    return not step.grant.namespace or step.grant.namespace == _SYSTEM
