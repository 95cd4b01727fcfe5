"""Language models that follow a script: servers on the loopback that speak the providers' streaming APIs.

with scripted(Say(calls=(Ask("runbook_search", {"text": "disk"}),)), Say("The disk is full.")) as llm:
    llm.base_url("openai"); llm.requests
"""

from tests.support.llm.script import Answer, Ask, Break, Fail, Hang, Received, Say, Script, by_turn
from tests.support.llm.server import ScriptedModel, scripted

__all__ = [
    "Answer",
    "Ask",
    "Break",
    "Fail",
    "Hang",
    "Received",
    "Say",
    "Script",
    "ScriptedModel",
    "by_turn",
    "scripted",
]
