"""Costs: what workloads ask for and use, in money, and better sizes for them."""
