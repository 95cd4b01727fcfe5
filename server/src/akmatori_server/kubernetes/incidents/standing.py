"""How many incidents of each cluster are not over, for what tells how clusters are."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import sqlalchemy as sa

from akmatori_sdk._generated.aotanami.models import IncidentStatus
from akmatori_server.kubernetes.incidents.tables import k8s_incident_clusters, k8s_incidents
from akmatori_server.kubernetes.status.standing import NOTHING_KNOWN, Standing, Standings


def with_open_incidents(others: Standings) -> Standings:
    """Return what tells the same, and the incidents that are open or acknowledged."""

    def standings(connection: sa.Connection, /) -> Mapping[str, Standing]:
        incidents, clusters = k8s_incidents.c, k8s_incident_clusters.c
        # Of a cluster that was never read nothing is known, not even that there is none.
        query = (
            sa.select(clusters.target, sa.func.count(incidents.id))
            .select_from(
                k8s_incident_clusters.outerjoin(
                    k8s_incidents,
                    sa.and_(
                        incidents.target == clusters.target,
                        incidents.status != IncidentStatus.RESOLVED.value,
                    ),
                )
            )
            .group_by(clusters.target)
        )
        found = dict(others(connection))
        for target, number in connection.execute(query):
            found[target] = attrs.evolve(found.get(target, NOTHING_KNOWN), open_incidents=number)
        return found

    return standings
