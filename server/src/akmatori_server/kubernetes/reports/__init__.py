"""Scans of what is configured, by request and by the clock, and what they found, kept over time."""
