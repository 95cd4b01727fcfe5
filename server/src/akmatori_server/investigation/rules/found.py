"""The parts of a report that rest on probes: findings, evidence, and what they mean together. Pure."""

from __future__ import annotations

from akmatori_server.investigation.report import code, inline, table
from akmatori_server.investigation.rules.counting import counted, sentence
from akmatori_server.investigation.rules.evidence import Check, Evidence, Findings, Verdict

LONGEST_ASKED = 160
LONGEST_VALUE = 80
LONGEST_SHOWN = 400


def findings(found: Findings) -> str:
    """Return what is wrong, the gravest first, and what that means together; "" when nothing was compared."""
    if not found.decided:
        return ""
    lines = [f"- {check.verdict} {inline(check.says)} ({_calls(one)})" for one, check in found.problems]
    return "\n".join([*lines, *([""] if lines else []), together(found)])


def together(found: Findings) -> str:
    """Say what all checks mean together, whoever declared them; "" when none was to be made."""
    decided, explaining = len(found.decided), len(found.explaining)
    checks = "check" if decided == 1 else "checks"
    if not decided:
        return _none_made(found)
    if not explaining and found.problems:
        told = "The one check shows nothing" if decided == 1 else f"None of {decided} checks shows what is"
        return f"{told} wrong: the problem may lie where nobody looked."
    if not explaining:
        told = (
            "The one check that was made shows"
            if decided == 1
            else f"All {decided} checks that were made show"
        )
        return f"{told} nothing wrong: the problem may be over, or lie where nobody looked."
    grave = any(check.verdict is Verdict.GRAVE for _, check in found.problems)
    verb = "explains" if explaining == 1 else "explain"
    if grave:
        return f"{explaining} of {decided} {checks} {verb} the alert."
    shows = "shows" if explaining == 1 else "show"
    return f"{explaining} of {decided} {checks} {shows} something that may have to do with the alert; none is grave."


def evidence(found: Findings) -> str:
    """Return the table of what was asked and what came back."""
    rows = [
        (
            inline(one.probe) if first else "",
            code(one.asked, LONGEST_ASKED) if first else "",
            _value(check),
            inline(check.threshold, LONGEST_VALUE),
            str(check.verdict),
            _calls(one) if first else "",
        )
        for one in found.evidence
        for first, check in _numbered(one)
    ]
    if not rows:
        return ""
    head = ("Check", "Asked", "Value", "A finding if", "Result", "Call")
    return (
        table(head, rows)
        + "\n\n✅ as it should be, 💡 good to know, ⚠️ notable, ❌ grave, ❔ not known, 📄 shown only."
    )


def not_known(found: Findings) -> list[str]:
    """Return what was to be looked at and could not be, as plain text; one cause is told once."""
    lines = [sentence(complaint) for complaint in found.complaints]
    groups: dict[tuple[str, str], list[str]] = {}
    for left in found.unasked:
        groups.setdefault(("", left.why), []).append(f"{left.probe} ({_origin(left.origin)})")
    for one in found.evidence:
        unknown = [check for check in one.checks if check.verdict is Verdict.UNKNOWN]
        for says in dict.fromkeys(check.says for check in unknown):
            place = f"{one.probe} ({_origin(one.origin)}, {_call(one)})"
            groups.setdefault((one.tool if one.failure else one.call_id, says), []).append(place)
    for (tool, why), places in groups.items():
        of = f"{tool}, " if tool and len(places) > 1 else ""
        lines.append(sentence(f"{of}{', '.join(places)}: {why}"))
    return lines


def failures(found: Findings) -> list[tuple[str, str, list[Evidence]]]:
    """Return the calls that gave no answer, by tool and cause."""
    groups: dict[tuple[str, str], list[Evidence]] = {}
    for one in found.evidence:
        if one.failure:
            groups.setdefault((one.tool, one.failure), []).append(one)
    return [(tool, why, evidence) for (tool, why), evidence in groups.items()]


def _none_made(found: Findings) -> str:
    if any(not one.failure for one in found.evidence):
        # What is shown, and compared with nothing, is there to be read.
        return ""
    causes = [f"{tool} {why}" for tool, why, _ in failures(found)]
    causes += dict.fromkeys(one.why for one in found.unasked)
    if not causes:
        return ""
    more = f"; and {counted(len(causes) - 1, 'other reason')}" if len(causes) > 1 else ""
    return sentence(f"No check could be made: {causes[0].rstrip('.')}{more}")


def _numbered(one: Evidence) -> list[tuple[bool, Check]]:
    return [(number == 0, check) for number, check in enumerate(one.checks)]


def _value(check: Check) -> str:
    if check.verdict is Verdict.UNKNOWN and not check.value:
        return "not known"
    return (
        inline(check.value, LONGEST_VALUE)
        if check.verdict is not Verdict.SHOWN
        else code(check.value, LONGEST_SHOWN)
    )


def _call(one: Evidence) -> str:
    return f"call {one.call_id}" if one.call_id else "no call"


def _calls(one: Evidence) -> str:
    return f"call {code(one.call_id)}" if one.call_id else "no call"


def _origin(origin: str) -> str:
    return "of the runbook" if origin == "runbook" else origin
