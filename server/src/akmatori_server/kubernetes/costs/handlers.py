"""The operations on costs."""

from __future__ import annotations

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami import models
from akmatori_server.http.call import Call
from akmatori_server.http.optional import given
from akmatori_server.kubernetes.costs.service import USUAL_WINDOW, CostService
from akmatori_server.kubernetes.paging import Page, single


class CostHandlers:
    """Handlers of the tag `costs`."""

    def __init__(self, costs: CostService) -> None:
        self._costs = costs

    def get_costs(
        self, _call: Call, /, *, namespace: list[str] | Unset, window: int | Unset
    ) -> models.CostAnalysisEnvelope:
        """Read what the workloads cost."""
        analysis = self._costs.analysis(
            namespaces=frozenset() if namespace is UNSET else frozenset(namespace),
            window_seconds=USUAL_WINDOW if window is UNSET else window,
        )
        return models.CostAnalysisEnvelope(data=analysis, metadata=single())

    def list_cost_recommendations(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        page_size: int | Unset,
        namespace: list[str] | Unset,
        type: list[models.RecommendationType] | Unset,  # noqa: A002  the name of the parameter in the contract
        resource_kind: list[str] | Unset,
        min_savings: float | Unset,
    ) -> models.RecommendationPage:
        """List better sizes, the largest savings first."""
        found = self._costs.recommendations(
            namespaces=frozenset() if namespace is UNSET else frozenset(namespace),
            types=frozenset() if type is UNSET else frozenset(type),
            kinds=frozenset() if resource_kind is UNSET else frozenset(resource_kind),
            least_savings=given(min_savings),
        )
        asked = Page.asked(page, page_size)
        return models.RecommendationPage(
            data=found[asked.offset : asked.offset + asked.size], metadata=asked.metadata(len(found))
        )
