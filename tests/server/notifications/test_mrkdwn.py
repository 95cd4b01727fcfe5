"""Markdown in Slack's form: what people write, what is cut, and what is hostile."""

from __future__ import annotations

import time

from akmatori_server.notifications.blocks import with_blocks_written_out
from akmatori_server.notifications.mrkdwn import cut, to_mrkdwn

PAIRS = {
    "# Title": "*Title*",
    "### A **bold** title ##": "*A bold title*",
    "**bold** and *slanted* and _slanted_ and ~~gone~~": "*bold* and _slanted_ and _slanted_ and ~gone~",
    "__bold__ in snake_case_names stays": "*bold* in snake_case_names stays",
    "- one\n  - two\n* three": "• one\n  • two\n• three",
    "1. first\n2. second": "1. first\n2. second",
    "[text](https://a.example/x?a=1&b=2)": "<https://a.example/x?a=1&amp;b=2|text>",
    "![shot](https://a.example/i.png)": "<https://a.example/i.png|shot>",
    "<https://a.example/>": "<https://a.example/>",
    "[click](javascript:alert(1))": "[click](javascript:alert(1))",
    "`a < b` and ``x & y``": "`a &lt; b` and `x &amp; y`",
    "```python\nif a < b:\n    **no** markup\n```": "```\nif a &lt; b:\n    **no** markup\n```",
    "```\nnever closed": "```\nnever closed\n```",
    "> said": "> said",
    "---": "———",
    r"disk\_full \*not bold\*": "disk_full *not bold*",
    "<!channel> <@U123> <https://x|y>": "&lt;!channel&gt; &lt;@U123&gt; &lt;https://x|y&gt;",
    "[<!here>](https://a.example)": "<https://a.example|&lt;!here&gt;>",
    "[a|b](https://a.example/|c)": "<https://a.example/%7Cc|a¦b>",
    "| Host | Load |\n|---|---:|\n| web-1 | 5 |\n\nafter": "```\nHost   Load\nweb-1  5\n```\n\nafter",
    "| Label | Value |\n|---|---|\n| `a_b` | **x** \\| y\\_z |": "```\nLabel  Value\na_b    x | y_z\n```",
    "2 * 3 * 4 = 24 and 5 ** 2": "2 * 3 * 4 = 24 and 5 ** 2",
}


def test_markdown_becomes_what_slack_reads() -> None:
    """Nothing that Slack takes for a command of its own is left."""
    for markdown, expected in PAIRS.items():
        assert to_mrkdwn(markdown) == expected, markdown


def test_a_long_text_is_cut_where_it_makes_sense() -> None:
    """At a paragraph, a line or a word; no link and no character in two; code is closed."""
    assert cut("short", 100) == ("short", False)
    paragraphs = "\n\n".join("word " * 10 for _ in range(20))
    text, is_cut = cut(paragraphs, 500)
    assert is_cut
    assert text.endswith("word")
    assert len(text.encode()) <= 500
    assert cut("```\n" + "line\n" * 100 + "```", 200)[0].endswith("line\n```")
    assert "<" not in cut("a" * 80 + " <https://a.example/" + "b" * 200 + "|x>", 200)[0]
    for limit in range(5, 60):
        text, _ = cut("größer &amp; höher 🔥🔥🔥 &lt;x&gt; " * 5, limit)
        assert len(text.encode()) <= limit
        assert text.count("&") == text.count(";")
        assert "\N{REPLACEMENT CHARACTER}" not in text


def test_a_hostile_text_takes_no_time() -> None:
    """Whatever an alert, or a model that was talked into it, writes."""
    began = time.process_time()
    for piece in ("[", "**", "`", "*a ", "_", "~~", "<", "](", "\\", "__a", "|", "***", "[a](", "> ", "- "):
        for text in (piece * (20_000 // len(piece)), f"{piece}\n" * 5_000):
            shown = to_mrkdwn(text)
            cut(shown, 8000)
            with_blocks_written_out(f"[FINAL_RESULT]{text}")
    assert time.process_time() - began < 5


def test_the_blocks_of_an_answer_are_written_for_people() -> None:
    """What is not one stays as it is."""
    answer = (
        "I looked.\n\n[FINAL_RESULT]\nstatus: unresolved\nsummary: The disk is full.\nactions_taken:\n"
        "- looked at df\nrecommendations:\n- Rotate the log\n[/FINAL_RESULT]"
    )
    shown = to_mrkdwn(with_blocks_written_out(answer))

    assert shown.startswith("I looked.\n\n*Result*\n\n*Status:* unresolved\n\n*Summary:* The disk is full.")
    assert "*Actions taken:*\n• looked at df" in shown
    assert "FINAL_RESULT" not in shown
    assert with_blocks_written_out("[FINAL_RESULT] cut off") == "[FINAL_RESULT] cut off"
