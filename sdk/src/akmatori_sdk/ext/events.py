"""The stream of events, on servers without one too."""

from __future__ import annotations

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._core.options import CallOptions
from akmatori_sdk._core.streams import EventStream
from akmatori_sdk._core.sync import SyncSender
from akmatori_sdk._generated.akmatori.models import Event, EventKind
from akmatori_sdk._generated.akmatori.resources import sync
from akmatori_sdk.ext.changes import LOOKED_AT, POLL_INTERVAL, Changes
from akmatori_sdk.ext.waiting import for_polls


class Events(sync.Events):
    """Changes of incidents and alerts, as they happen."""

    def stream(
        self,
        *,
        incident: str | Unset = UNSET,
        kind: EventKind | str | Unset = UNSET,
        last_event_id: str | Unset = UNSET,
        options: CallOptions | None = None,
    ) -> EventStream[Event]:
        """Hear of changes as they happen.

        Iterate over what comes back; it goes on until it is closed. A connection that breaks is made again, and
        no event is lost. Whoever was away for longer than the server keeps its events (24 hours) gets one of the
        kind `reset` first, and must read anew what is watched.

        On a server without such a stream the incidents are read every two seconds, and events are made of what
        has changed: only `incident.opened`, `incident.updated` and `incident.completed`, only for the newest 100
        incidents (or the one asked for), with changes between two looks taken together, and without an `id`.

        Args:
            incident: Only events of this incident and its alerts.
            kind: Only events of this kind; `reset` comes in any case.
            last_event_id: The `id` of the last event that was received; what followed comes first.
            options: Timeout, retries and headers for each connection. `timeout` is how long the server may be
                silent, by default 45 seconds; `deadline` how long it may be away.

        Raises:
            UnauthorizedError: 401. No valid token or API key was sent.
            ForbiddenError: 403. The credential is valid but not allowed to do this.
            UnavailableError: 503. The server serves no more streams now, and the retries are used up.
        """
        stream = super().stream(incident=incident, kind=kind, last_event_id=last_event_id, options=options)
        word = kind.value if isinstance(kind, EventKind) else kind
        changes = Changes(word, resumes=last_event_id is not UNSET)
        incidents = sync.Incidents(self._client)
        stream.fall_back_to(
            lambda: _IncidentPoller(self._sender, incidents, incident, changes, for_polls(options))
        )
        return stream


class _IncidentPoller:
    """Makes events of what incidents look like from time to time."""

    def __init__(
        self,
        sender: SyncSender,
        incidents: sync.Incidents,
        incident: str | Unset,
        changes: Changes,
        options: CallOptions | None,
    ) -> None:
        self._sender = sender
        self._incidents = incidents
        self._incident = incident
        self._changes = changes
        self._options = options

    def poll(self) -> list[Event]:
        """Wait, look, and return what has changed."""
        if not self._changes.is_first():
            self._sender.pause(POLL_INTERVAL)
        if self._incident is not UNSET:
            return self._changes.saw([self._incidents.get(self._incident, options=self._options)])
        newest = self._incidents.list(page_size=LOOKED_AT, options=self._options)
        return self._changes.saw(newest.collect(LOOKED_AT))
