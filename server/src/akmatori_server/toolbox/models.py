"""Calls of tools as values."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from akmatori_server.incidents.storable import JSON
from akmatori_server.tools.definition import ToolFunction
from akmatori_server.tools.models import OpenTool

DEFAULT_TIMEOUT_SECONDS = 60.0


class ToolFailedError(Exception):
    """A call did not work, or is refused. The sentence is for a model or a person, and holds no secret."""

    def __init__(self, sentence: str, *, setup: str = "") -> None:
        """Make one.

        Args:
            sentence: what is wrong, for who called.
            setup: the same for who sets the tool up: which setting to look at, and nothing of what the other side
                says; the sentence where it does that already.
        """
        super().__init__(sentence)
        self.setup = setup or sentence


class OutcomeUnknownError(ToolFailedError):
    """A call was sent, and nobody knows what came of it: no answer came, or not the whole of it."""


class Access(enum.StrEnum):
    """What a call does to the system it is made on."""

    READ = "read"
    WRITE = "write"


class Outcome(enum.StrEnum):
    """How a call ended."""

    DONE = "done"
    # It was made, and did not work.
    FAILED = "failed"
    # It was not made: it is not allowed, its arguments are wrong, or a limit is reached.
    REFUSED = "refused"
    # It would change something, and waits for a person's approval.
    PROPOSED = "proposed"


@attrs.frozen(kw_only=True)
class Invocation:
    """One call: a function of a tool, with arguments that keep the function's schema."""

    tool: OpenTool
    function: ToolFunction
    arguments: Mapping[str, JSON]


@attrs.frozen(kw_only=True)
class Plan:
    """What a call will do, decided before anything is opened or sent."""

    access: Access
    # The action in one line, for the log and for whoever approves it: "systemctl restart nginx on web-1, web-2".
    summary: str
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    # For how long the same call may be answered from memory. Only of reads.
    cache_seconds: float = 0.0


@attrs.frozen(kw_only=True)
class TrialCall:
    """A harmless call that tells whether a tool works. It reads, and takes little time."""

    function: str
    arguments: Mapping[str, JSON] = attrs.field(factory=dict[str, JSON])
    # What is known when it worked, as a sentence.
    proves: str
    # Where the output has the version of what was asked, such as `rows.0.0`; "" where it has none.
    version: str = ""


@attrs.frozen(kw_only=True)
class Output:
    """What a call gave: a text, or a value that becomes JSON. `is_truncated`: there was more."""

    value: JSON
    is_truncated: bool = False
    # The call was made and answered, but what it was made for did not work: a command's exit code.
    is_failure: bool = False
    # Where `value` is the sentence of an error: the one for who sets the tool up.
    setup: str = ""


@attrs.frozen(kw_only=True)
class CallResult:
    """A call as its caller gets it. Secrets are masked, and the text is no longer than its limit."""

    outcome: Outcome
    # For a model or a person to read: the output, or a sentence that says what is wrong.
    text: str
    # The output as a value, where it is one; None for texts, and where the call was not made.
    value: JSON = None
    is_truncated: bool = False
    is_cached: bool = False
    duration_ms: int = 0
    # How the journal and the report name this call.
    call_id: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the caller did not get what was asked for."""
        return self.outcome is not Outcome.DONE
