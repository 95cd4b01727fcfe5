"""Typed clients for the Akmatori and Aotanami APIs."""
