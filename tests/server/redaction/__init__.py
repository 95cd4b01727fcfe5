"""Masking secrets."""
