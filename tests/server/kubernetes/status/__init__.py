"""Tests of clusters and of health."""
