"""Scans: all checks over all objects, and what comes of it in a form for people and programs."""
