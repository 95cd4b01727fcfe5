"""Probes: reading, filling in, judging."""
