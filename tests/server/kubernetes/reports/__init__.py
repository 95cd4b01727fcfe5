"""Tests of scans, their reports and their findings."""
