"""Incidents: what goes wrong with one workload, put together, and told until it is over."""
