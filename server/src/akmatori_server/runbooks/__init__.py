"""Runbooks: what to do about a known problem."""
