"""Tests of kept deliveries."""
