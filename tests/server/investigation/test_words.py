"""Alert names come in every spelling; their words must compare."""

from __future__ import annotations

import pytest

from akmatori_server.investigation.rules.words import stem, synonyms, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NodeDiskFilling", ["disk", "filling"]),
        ("KubePodCrashLooping", ["pod", "crash", "looping"]),
        ("HTTP5xxErrorRate", ["http", "5xx", "error", "rate"]),
        ("CPUThrottlingHigh", ["cpu", "throttling"]),
        ("OOMKilled", ["oom", "killed"]),
        ("payments_5xx-rate above 4%", ["payments", "5xx", "rate"]),
        ("Checkout502", ["checkout", "502"]),
        ("x509: certificate has expired", ["x509", "certificate", "expired"]),
        ("error 503 at 14:00, 503 again", ["error", "503", "again"]),
        ("Festplatte überfüllt", ["festplatte", "überfüllt"]),
        ("磁盘 空间不足", ["磁盘", "空间不足"]),
        ("the node is up and on", []),
        ("", []),
    ],
    ids=lambda value: str(value)[:30],
)
def test_words_of_a_text(text: str, expected: list[str]) -> None:
    """CamelCase, snake_case and plain text give the same kind of words; empty ones are left out."""
    assert words(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("filling", "fills"), ("certificate", "certificates"), ("crashed", "crashing"), ("queues", "queue")],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    """A runbook may use another form of the word than the alert."""
    assert stem(one) == stem(other)


def test_synonyms_go_both_ways_and_leave_out_the_word_itself() -> None:
    """Disk finds filesystem and filesystem finds disk."""
    assert "filesystem" in synonyms("disk")
    assert "disk" in synonyms("filesystems")
    assert "disk" not in synonyms("disk")
    assert synonyms("giraffe") == frozenset()
