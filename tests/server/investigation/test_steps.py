"""Runbooks are written by people; their steps are read however they are laid out."""

from __future__ import annotations

import pytest

from akmatori_server.investigation.rules.steps import MOST_STEPS, Step, extract_steps


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("1. One\n2) Two\n", [Step("", "One"), Step("", "Two")]),
        (
            "# Check\n- One\n* Two\n+ Three",
            [Step("Check", "One"), Step("Check", "Two"), Step("Check", "Three")],
        ),
        ("- [ ] open\n- [x] ticked", [Step("", "open"), Step("", "ticked")]),
        ("1. Long\n   goes on\n2. Next", [Step("", "Long goes on"), Step("", "Next")]),
        (
            "## A ##\n1. Look:\n\n   ```sh\n   df -h\n     df -i\n   ```\n",
            [Step("A", "Look:", ("df -h\n  df -i",))],
        ),
        ("1. Two:\n   ```\n   a\n   ```\n   ```\n   b\n   ```", [Step("", "Two:", ("a", "b"))]),
        ("Restart it:\n\n```\nsystemctl restart x\n```", [Step("", "Restart it:", ("systemctl restart x",))]),
        ("Some words.\n\n```\nuptime\n```", [Step("", "Run:", ("uptime",))]),
        ("1. A\n\n## B\n\n```\nuptime\n```", [Step("", "A"), Step("B", "Run:", ("uptime",))]),
        ("~~~\n# not a heading\n~~~", [Step("", "Run:", ("# not a heading",))]),
        ("1. Never closed:\n```\nls", [Step("", "Never closed:", ("ls",))]),
        ("```\n\n```", []),
        ("Only prose here.\nAnd more of it.", []),
        ("", []),
    ],
)
def test_steps_of_a_runbook(markdown: str, expected: list[Step]) -> None:
    """List items are steps; code belongs to the step it follows."""
    assert extract_steps(markdown) == expected


def test_a_very_long_runbook_is_cut() -> None:
    """A report has to be readable."""
    steps = extract_steps("\n".join(f"- step {number} {'x' * 5000}" for number in range(500)))

    assert len(steps) == MOST_STEPS
    assert all(len(step.text) <= 600 for step in steps)


def test_a_line_of_spaces_and_markers_takes_no_time() -> None:
    """Text from outside must not keep the processor busy."""
    assert extract_steps(("# " + " " * 50_000 + "x\n") + "-" * 50_000 + "\n" + "`" * 50_000) is not None
