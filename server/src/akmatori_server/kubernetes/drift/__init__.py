"""Drift: where live objects differ from what a folder or a Git work tree says they should be."""
