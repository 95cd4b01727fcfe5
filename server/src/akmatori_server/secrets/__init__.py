"""Secrets that are stored: how they are shown, and how they are encrypted inside JSON objects."""
