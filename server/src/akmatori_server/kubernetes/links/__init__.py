"""Which objects point at which: Services, budgets and policies at pods, autoscalers at what they scale."""

from akmatori_server.kubernetes.links.model import Autoscaler, Budget, Links, PodPickers, Service
from akmatori_server.kubernetes.links.reading import LINK_KINDS, LinkReader
from akmatori_server.kubernetes.links.sightings import Sightings

__all__ = [
    "LINK_KINDS",
    "Autoscaler",
    "Budget",
    "LinkReader",
    "Links",
    "PodPickers",
    "Service",
    "Sightings",
]
