"""What changed, as it changes: an append-only list of events, and the stream that tells it to clients."""

from akmatori_server.events.log import EventLog
from akmatori_server.events.models import EventKind, NewEvent, incident_data

__all__ = ["EventKind", "EventLog", "NewEvent", "incident_data"]
