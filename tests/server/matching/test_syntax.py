"""Reading and writing matchers in Alertmanager's syntax."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_server.matching import Matcher, MatcherError, Operator, parse_matcher


@pytest.mark.parametrize(
    ("text", "name", "operator", "value"),
    [
        ('alertname="DiskFull"', "alertname", "=", "DiskFull"),
        ("alertname=DiskFull", "alertname", "=", "DiskFull"),
        (' alertname  =  "DiskFull" ', "alertname", "=", "DiskFull"),
        ('alertname!="x"', "alertname", "!=", "x"),
        ('alertname=~"a|b"', "alertname", "=~", "a|b"),
        ("alertname!~a.*", "alertname", "!~", "a.*"),
        ("a==b", "a", "=", "=b"),
        ("a=", "a", "=", ""),
        ('a=""', "a", "=", ""),
        ("a=two words, and {more}", "a", "=", "two words, and {more}"),
        (r'a="say \"hi\""', "a", "=", 'say "hi"'),
        (r"a=say \"hi\"", "a", "=", 'say "hi"'),
        (r'a="one\ntwo"', "a", "=", "one\ntwo"),
        # Every other backslash is one: expressions need no doubled ones.
        (r'a=~"\d+\.\d+"', "a", "=~", r"\d+\.\d+"),
        (r'a="C:\\new"', "a", "=", r"C:\new"),
        ("a=b\\", "a", "=", "b\\"),
        ('labels.team="x"', "labels.team", "=", "x"),
        ("host-name=x", "host-name", "=", "x"),
        ('"a name"="x"', "a name", "=", "x"),
        (r'"a\"=b" != x', 'a"=b', "!=", "x"),
        ("größe=1", "größe", "=", "1"),
    ],
)
def test_reads(text: str, name: str, operator: str, value: str) -> None:
    assert parse_matcher(text) == Matcher(name, Operator(operator), value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not a matcher"),
        ("alertname", "is not a matcher"),
        ("alertname>3", "is not a matcher"),
        ("two names=x", "is not a matcher"),
        ('{a="b"}', "is not a matcher"),
        ('="b"', "needs the name"),
        ('a="b', "value's closing quote is missing"),
        (r'a="b\"', "value's closing quote is missing"),
        ('"a=b', "name's closing quote is missing"),
        ('a="b",c="d"', "every further matcher by itself"),
        ('a="b"c', "something follows"),
        ('a=b"c', "write a quote inside"),
        ('a=~"("', "not a regular expression of RE2"),
    ],
)
def test_refuses_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(MatcherError) as caught:
        parse_matcher(text)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith(".")


def test_writes_the_form_of_alertmanager() -> None:
    assert str(Matcher("alertname", Operator.MATCHES, r"\d")) == r'alertname=~"\\d"'
    assert str(Matcher("a b", Operator.EQUAL, 'x"\n')) == r'"a b"="x\"\n"'


_names = st.text(min_size=1, max_size=20) | st.text("ab{}!=~,\\\"'` \n\t.", min_size=1, max_size=8)
_values = st.text(max_size=40) | st.text('ab\\n" =~{},\n', max_size=12)


@given(_names, st.sampled_from(Operator), _values)
def test_what_is_written_is_read_back(name: str, operator: Operator, value: str) -> None:
    try:
        matcher = Matcher(name, operator, value)
    except MatcherError:
        return
    assert parse_matcher(str(matcher)) == matcher


@given(st.text() | st.text('ab=~!" \\n{}', max_size=15))
def test_any_text_is_a_matcher_or_a_sentence(text: str) -> None:
    try:
        matcher = parse_matcher(text)
    except MatcherError as error:
        sentence = str(error)
    else:
        sentence = f"{matcher}."
    assert len(sentence) > 1
    assert sentence.endswith(".")
