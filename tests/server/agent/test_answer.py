"""Reading the model's last words: leniently, and never losing any of them."""

from __future__ import annotations

import pytest

from akmatori_server.agent.answer import read_answer, with_run
from akmatori_server.investigation.report import Confidence, render
from tests.server.agent.texts import REPORT


def test_the_form_that_was_asked_for() -> None:
    """Summary first, then the sections in their order; the confidence with its reason."""
    report = read_answer(REPORT, ["m1.2"])
    assert report.headline == "The disk of db-1 is full. Remove old logs first."
    titles = [section.title for section in report.sections]
    assert titles == ["What is known", "Evidence", "Next steps", "Not checked"]
    assert (report.confidence, report.because) == (Confidence.HIGH, "The numbers say so.")


VARIANTS = {
    "levels and case": "# SUMMARY\na\n### Next Steps:\nb",
    "numbered": "## 1. Summary\na\n## 2. Next steps\nb",
    "bold": "**Summary:**\na\n\n**Next steps**\nb",
    "closed": "## Summary ##\na\n## Recommendations ##\nb",
    "other words": "## TL;DR\na\n## Recommended actions\nb",
    "windows": "## Summary\r\na\r\n## Next steps\r\nb",
}


def test_variants_of_the_form() -> None:
    """Models vary the headings."""
    for name, text in VARIANTS.items():
        report = read_answer(text, [])
        assert report.headline == "a", name
        assert [one.text for one in report.sections if one.title != "Doubtful"] == ["b"], name


@pytest.mark.parametrize(
    "text",
    [
        "Just a sentence.",
        "# Another form\n\nwith text",
        "",
        "   ",
        "```\n## Summary\n## Evidence\n```",
        "## Evidence\nalone",
    ],
)
def test_other_forms_are_kept_as_they_are(text: str) -> None:
    """Headings inside of code are none."""
    report = read_answer(text, [])
    assert report.headline == (text.strip() or "The model wrote an empty report.")
    assert {section.title for section in report.sections} == ({"Doubtful"} if text.strip() else set())


def test_a_summary_is_the_beginning_with_or_without_other_parts() -> None:
    """Its heading is never in the report."""
    for rest in ("", "\n## Confidence\nhigh. Seen.", "\n## Evidence\nb", "\n## Timeline\nt"):
        assert read_answer(f"## Summary\nalone{rest}", []).headline.splitlines()[0] == "alone", rest


def test_parts_that_are_missing_are_pointed_out() -> None:
    """All that were asked for and are not there, in one sentence."""
    [*_, doubtful] = read_answer("## Summary\na\n## Evidence\nb\n## Confidence\nhigh.", []).sections
    assert doubtful.title == "Doubtful"
    assert doubtful.text.endswith("does not have them: What is known, Next steps, Not checked.")
    assert "Summary, What is known, Evidence" in read_answer("It was the disk.", []).sections[0].text
    assert "Doubtful" not in {section.title for section in read_answer(REPORT, ["m1.2"]).sections}


def test_calls_are_named_as_in_the_log() -> None:
    """Another run's calls have its number in their ids; what is no call stays as it is."""
    text = with_run("[m1.2], m1.2 and m7.0 on an m5.2xlarge", {"m1.2"}, lambda key: f"run2:{key}")
    assert text == "[run2:m1.2], run2:m1.2 and m7.0 on an m5.2xlarge"


def test_no_word_is_lost() -> None:
    """Unknown headings stay where they are; what stands before the first one, too."""
    text = (
        "Before.\n\n## Summary\nS\n## Timeline\nT\n## Evidence\nE\n### Detail\nD\n## Confidence\nnobody knows"
    )
    shown = render(read_answer(text, []), elapsed_ms=0)
    for words in ("Before.", "S", "## Timeline\nT", "E\n### Detail\nD", "nobody knows"):
        assert words in shown, words


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("high", Confidence.HIGH),
        ("**Medium** - two readings", Confidence.MEDIUM),
        ("Moderate", Confidence.MEDIUM),
        ("I would say low, since nothing fits.", Confidence.LOW),
        ("highly speculative", None),
    ],
)
def test_confidence(text: str, level: Confidence | None) -> None:
    """One word of it is enough; a part of a word is none."""
    assert read_answer(f"## Summary\na\n## Evidence\nb\n## Confidence\n{text}", []).confidence is level


def test_calls_that_were_never_made_are_pointed_out() -> None:
    """A report that cites what did not happen says so at its end."""
    text = "## Summary\na\n## Evidence\n- [m1.2] x\n- [m7.0] y\n- m9.3"
    report = read_answer(text, ["m1.2"])
    assert report.sections[-1].title == "Doubtful"
    assert "m7.0, m9.3" in report.sections[-1].text
    assert "m1.2" not in report.sections[-1].text


def test_the_blocks_of_the_product() -> None:
    """They become sections; progress is left out; a block that is never closed is read to the end."""
    text = (
        "Done.\n[PROGRESS]\nstep: 1\n[/PROGRESS]\n"
        "[FINAL_RESULT]\nstatus: resolved\nsummary: It was the disk.\nactions_taken:\n- looked\n- thought\n"
        "recommendations:\n1. clean\n[/FINAL_RESULT]\n[ESCALATE]\nreason: data loss\nurgency: high"
    )
    report = read_answer(text, [])
    assert report.headline == "Done."
    result, escalation = report.sections
    assert (result.title, escalation.title) == ("Result", "Escalation")
    assert "- **Status:** resolved" in result.text
    assert "- **Actions taken:**\n  - looked\n  - thought" in result.text
    assert "- **Urgency:** high" in escalation.text
    only = read_answer("[FINAL_RESULT]\nsummary: x\n[/FINAL_RESULT]", [])
    assert only.headline == "- **Summary:** x"


def test_hostile_answers_take_no_longer() -> None:
    """A megabyte of brackets, stars, or headings is read in one pass."""
    blanks = " " * 200_000
    hostile = ("[" * 1_000_000, "*" * 1_000_000, "# " * 500_000, "## Summary\n" * 5000, "[ESCALATE]" * 50_000)
    for text in (*hostile, f"# a{blanks}b", f"[ESCALATE]\na: b\n{blanks}c\n{'- ' * 100_000}"):
        read_answer(text, [])
