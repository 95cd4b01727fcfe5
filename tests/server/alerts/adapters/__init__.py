"""Tests of the vendors' adapters."""
