"""Benchmarks: ratios against honest baselines, measured in one run. Never timed tests."""
