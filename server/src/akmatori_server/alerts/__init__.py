"""Alerts: taking them in, giving them one shape, finding their incident."""
