"""Incidents: what happened, how far the investigation is, what it found."""
