"""The command gate: which command lines only read, decided without a shell and without running anything."""

from akmatori_server.command_gate.gate import judge
from akmatori_server.command_gate.models import Command, Verdict, Word
from akmatori_server.command_gate.rendering import remote_line

__all__ = ["Command", "Verdict", "Word", "judge", "remote_line"]
