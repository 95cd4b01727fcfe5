"""Requests to other systems: every address is checked, and the connection goes to what was checked."""
