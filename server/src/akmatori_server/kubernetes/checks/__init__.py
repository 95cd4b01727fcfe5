"""Checks: what may be wrong with workloads and the objects around them, each a pure function."""
