"""Verbs written by hand on top of the generated resources."""
