"""Reading server-sent events: what the standard says, however the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_sdk import DecodeError
from akmatori_sdk._core.sse import EventDecoder, ServerSentEvent


def decoded(*chunks: bytes, last_event_id: str = "") -> list[tuple[str, str, str]]:
    """Return the events as (type, data, id)."""
    decoder = EventDecoder(last_event_id)
    return [(event.event, event.data, event.id) for chunk in chunks for event in decoder.feed(chunk)]


@pytest.mark.parametrize(
    ("sent", "events"),
    [
        # The examples of the standard.
        (b"data: This is the first message.\n\ndata: second,\ndata: two lines.\n\n",
         [("message", "This is the first message.", ""), ("message", "second,\ntwo lines.", "")]),
        (b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n",
         [("add", "73857293", ""), ("remove", "2153", "")]),
        (b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
         [("message", "first event", "1"), ("message", "second event", ""), ("message", " third event", "")]),
        (b"data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "\n", "")]),
        (b"data:test\n\ndata: test\n\n", [("message", "test", ""), ("message", "test", "")]),
        # Ends of lines, in any mixture.
        (b"data: a\r\ndata: b\rdata: c\n\r\n", [("message", "a\nb\nc", "")]),
        (b"data: a\r\rdata: b\r\n\r\n", [("message", "a", ""), ("message", "b", "")]),
        # A byte order mark at the beginning, and only there.
        (b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", [("message", "a", "")]),
        # An id stays until another comes, but for one with a NUL; a block without data moves it, too.
        (b"id: 7\n\ndata: a\n\nid: 8\0\ndata: b\n\n", [("message", "a", "7"), ("message", "b", "7")]),
        # What is no field is ignored, and a type without data is forgotten.
        (b"event: x\n\nfoo: bar\nDATA: no\n data: no\ndata: yes: no\n\n", [("message", "yes: no", "")]),
        (b"data: \xff\xfe\n\n", [("message", "\ufffd\ufffd", "")]),
        # What does not end with an empty line is no event.
        (b"data: a\n", []),
    ],
)  # fmt: skip
def test_what_the_standard_says(sent: bytes, events: list[tuple[str, str, str]]) -> None:
    assert decoded(sent) == events
    assert decoded(*(sent[at : at + 1] for at in range(len(sent)))) == events


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=12)
END = st.sampled_from(["\n", "\r\n", "\r"])
LINE = st.one_of(
    st.builds("data: {}".format, TEXT),
    st.builds("id: {}".format, TEXT),
    st.builds("event: {}".format, TEXT),
    st.builds(": {}".format, TEXT),
    st.builds("retry: {}".format, st.integers(0, 10**6)),
    st.just(""),
    TEXT,
)


@given(
    st.lists(st.tuples(LINE, END), max_size=20),
    st.lists(st.integers(0, 400), max_size=12),
    st.booleans(),
)
def test_where_the_bytes_are_cut_makes_no_difference(
    lines: list[tuple[str, str]], cuts: list[int], mark: bool
) -> None:
    sent = ("\ufeff" if mark else "").encode() + "".join(line + end for line, end in lines).encode()
    places = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})
    whole, pieces = EventDecoder(), EventDecoder()
    expected = whole.feed(sent)
    found = [event for begin, end in pairwise(places) for event in pieces.feed(sent[begin:end])]
    assert found == expected
    assert (pieces.last_event_id, pieces.retry) == (whole.last_event_id, whole.retry)


def test_where_to_resume_and_when() -> None:
    decoder = EventDecoder("5")
    assert decoder.feed(b"retry: 250\nid: 9\n: x\n") == []
    assert (decoder.last_event_id, decoder.retry) == ("5", 0.25)
    assert decoder.feed(b"\nretry: 1x\nretry: \xd9\xa3\nretry: 99999999999999\ndata: d\n\n") == [
        ServerSentEvent("message", "d", "9")
    ]
    assert (decoder.last_event_id, decoder.retry) == ("9", 86_400.0)


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 50 + b"\n", b"x" * 50, b"foo: " + b"x" * 50 + b"\n"])
def test_an_event_without_end_is_refused(piece: bytes) -> None:
    decoder = EventDecoder(largest=1000)
    for _ in range(17):
        decoder.feed(piece)
    with pytest.raises(DecodeError, match="more than 1000 bytes"):
        decoder.feed(piece * 4)


def test_comments_may_come_for_ever() -> None:
    decoder = EventDecoder(largest=100)
    for _ in range(100):
        decoder.feed(b": still here, still here\n")
    assert decoder.feed(b"data: a\n\n")
