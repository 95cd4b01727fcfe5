"""Texts that models write in these tests."""

REPORT = """\
## Summary

The disk of db-1 is full. Remove old logs first.

## What is known

The load is normal.

## Evidence

- [m1.2] `"load": 0.5`

## Confidence

high. The numbers say so.

## Next steps

1. Remove old logs.

## Not checked

The network.
"""
