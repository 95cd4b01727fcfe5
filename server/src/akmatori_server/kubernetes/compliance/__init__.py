"""Compliance: how what was checked stands against the controls of frameworks, and what was not checked."""

from akmatori_server.kubernetes.compliance.catalogue import ControlDefinition, controls_of
from akmatori_server.kubernetes.compliance.evaluation import Standing, Tally, evaluate

__all__ = ["ControlDefinition", "Standing", "Tally", "controls_of", "evaluate"]
