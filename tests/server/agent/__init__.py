"""Tests of investigations by a language model."""
