"""Probes: questions to tools that a runbook or a skill declares, and what their answers mean.

Pure: reading declarations, filling in what an alert says, and comparing answers with thresholds. Asking is the
investigation's.
"""

from akmatori_server.probes.models import Expectation, Operator, Probe, ProbeError, Severity
from akmatori_server.probes.reading import read_probes, read_with_faults
from akmatori_server.probes.templates import Known, MissingValueError, UnfitValueError

__all__ = [
    "Expectation",
    "Known",
    "MissingValueError",
    "Operator",
    "Probe",
    "ProbeError",
    "Severity",
    "UnfitValueError",
    "read_probes",
    "read_with_faults",
]
