"""Matchers as Alertmanager has them: which alerts a silence or a correlation rule is about."""

from __future__ import annotations

from akmatori_server.matching.matcher import Matcher, Operator, value_of
from akmatori_server.matching.regex import MatcherError
from akmatori_server.matching.syntax import parse_matcher

__all__ = ["Matcher", "MatcherError", "Operator", "parse_matcher", "value_of"]
