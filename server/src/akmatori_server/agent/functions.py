"""The functions a model may call: those of the tools on the bench, and a few that read what the team wrote."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from typing import cast

import attrs
import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError

from akmatori_server.agent.naming import function_names
from akmatori_server.agent.reading import READERS, Reading
from akmatori_server.incidents.log import LineKind, LogLine
from akmatori_server.incidents.storable import JSON, storable_object
from akmatori_server.investigation.journal import Journal
from akmatori_server.toolbox.arguments import checked_arguments
from akmatori_server.toolbox.bench import Bench, Offer
from akmatori_server.toolbox.models import Outcome, ToolFailedError
from akmatori_server.toolbox.rendering import (
    LONGEST_LOGGED,
    LONGEST_TEXT,
    call_lines,
    shortened,
    shown_arguments,
)
from akmatori_server.tools.definition import ToolFunction

# OpenAI takes 128 at most.
MOST_FUNCTIONS = 120
LONGEST_DESCRIPTION = 1024
PURPOSE = "purpose"
_PURPOSE_MEMBER: Mapping[str, str] = {
    "type": "string",
    "description": "Why this is needed, in one sentence; a person who decides about it reads it.",
}

_log = structlog.stdlib.get_logger("akmatori_server.agent")


@attrs.frozen(kw_only=True)
class Described:
    """A function as the provider gets it."""

    name: str
    description: str
    parameters: dict[str, JSON]


@attrs.frozen(kw_only=True)
class Returned:
    """What came of a call, for the model. `source` says whose words they are."""

    source: str
    outcome: Outcome
    text: str


class Functions:
    """Describes the functions to the model, and makes the calls it asks for. No call raises for what a tool did."""

    def __init__(
        self, bench: Bench, reading: Reading, journal: Journal, *, redact: Callable[[str], str]
    ) -> None:
        self._bench = bench
        self._reading = reading
        self._journal = journal
        self._redact = redact
        offers = bench.offers[: MOST_FUNCTIONS - len(READERS)]
        self.left_out = bench.offers[len(offers) :]
        names = function_names(
            ((offer.tool.tool.logical_name, offer.function.name) for offer in offers), taken=READERS
        )
        self._offers: dict[str, Offer] = dict(zip(names, offers, strict=True))

    def described(self) -> list[Described]:
        """Return every function, in an order that does not change within a run."""
        readers = [_described(name, reader.function, name) for name, reader in READERS.items()]
        return readers + [self._offered(name, offer) for name, offer in self._offers.items()]

    async def call(self, key: str, name: str, arguments: str | Mapping[str, object] | None) -> Returned:
        """Make a call. Whatever is wrong with it comes back as text, for the model to do better.

        Raises:
            Fenced: the incident is not ours any more.
            Stopped: the work was cancelled.
        """
        try:
            given = _object(arguments)
        except ToolFailedError as error:
            return self._refused(key, name, str(error))
        try:
            if name in READERS:
                return self._read(key, name, given)
            offer = self._offers.get(name)
            if offer is None:
                return self._refused(key, name, self._unknown(name))
            return await self._use(key, offer, given)
        except SQLAlchemyError:
            # The database is away: the engine takes the whole incident up again.
            raise
        except Exception as error:  # noqa: BLE001  a call must not end the investigation, whatever is wrong with it
            _log.exception("agent_call_failed", function=name, incident_id=self._journal.incident_id)
            sentence = f"{name} failed unexpectedly ({type(error).__name__}); go on without it."
            return Returned(source=name, outcome=Outcome.FAILED, text=sentence)

    def refuse(self, key: str, name: str, sentence: str) -> Returned:
        """Answer a call that is not made."""
        return self._refused(key, name, sentence)

    async def _use(self, key: str, offer: Offer, given: dict[str, JSON]) -> Returned:
        tool, function = offer.tool.tool.logical_name, offer.function
        purpose = ""
        if _asks_purpose(function):
            purpose = str(given.pop(PURPOSE, "") or "")
        result = await self._bench.call(key, tool, function.name, given, purpose=purpose)
        return Returned(source=offer.name, outcome=result.outcome, text=result.text)

    def _read(self, key: str, name: str, given: dict[str, JSON]) -> Returned:
        reader = READERS[name]
        try:
            text = reader.read(self._reading, checked_arguments(reader.function, given))
            outcome = Outcome.DONE
        except ToolFailedError as error:
            text, outcome = str(error), Outcome.REFUSED
        shown = shortened(self._redact(text), LONGEST_TEXT)
        self._log(key, name, given, shown, outcome)
        return Returned(source=name, outcome=outcome, text=shown)

    def _refused(self, key: str, name: str, sentence: str) -> Returned:
        self._log(key, name[:100], {}, sentence, Outcome.REFUSED)
        return Returned(source=name, outcome=Outcome.REFUSED, text=sentence)

    def _log(self, key: str, name: str, given: Mapping[str, JSON], text: str, outcome: Outcome) -> None:
        call_id = self._journal.key(key)
        arguments = self._redact(shown_arguments(dict(given))) if given else ""
        head = "✅ Ran" if outcome is Outcome.DONE else "❌ Refused"
        lines = [*call_lines(head, name, call_id, arguments), f"Output:\n{shortened(text, LONGEST_LOGGED)}"]
        running = "\n".join(call_lines("Running", name, call_id, arguments))
        self._journal.write(
            LogLine(f"call:{key}", LineKind.TOOL, running),
            LogLine(f"res:{key}", LineKind.RESULT, "\n".join(lines)),
        )

    def _unknown(self, name: str) -> str:
        known = [*READERS, *self._offers]
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known[:40])}."
        return f"There is no function {name[:100]}; {hint}"

    def _offered(self, name: str, offer: Offer) -> Described:
        # Descriptions of MCP servers come from outside, too.
        return _described(name, offer.function, offer.name, redact=self._redact)


def _described(
    name: str,
    function: ToolFunction,
    title: str,
    *,
    redact: Callable[[str], str] = str,
) -> Described:
    schema = cast("dict[str, JSON]", orjson.loads(orjson.dumps(dict(function.parameters))))
    schema["type"] = "object"
    members = schema.get("properties")
    properties: dict[str, JSON] = members if isinstance(members, dict) else {}
    if _asks_purpose(function):
        properties = {**properties, PURPOSE: dict(_PURPOSE_MEMBER)}
    schema["properties"] = properties
    note = "" if function.read_only else " Changes something: it is not run, but proposed to a person."
    description = f"{title}: {function.description}"[: LONGEST_DESCRIPTION - len(note)] + note
    return Described(name=name, description=redact(description), parameters=schema)


def _asks_purpose(function: ToolFunction) -> bool:
    return not function.read_only and PURPOSE not in (function.parameters.get("properties") or {})


def _object(arguments: str | Mapping[str, object] | None) -> dict[str, JSON]:
    if not arguments:
        return {}
    value: object = arguments
    if isinstance(arguments, str):
        try:
            # Takes what orjson does not: halves of characters, for one, which are replaced below.
            value = json.loads(arguments)
        except (ValueError, RecursionError) as error:
            raise ToolFailedError(f"The arguments are not JSON ({error}); send one JSON object.") from None
    if not isinstance(value, Mapping):
        raise ToolFailedError("The arguments must be one JSON object.")
    return storable_object(dict(cast("Mapping[str, object]", value)))
