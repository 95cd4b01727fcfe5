"""Deliveries that were refused, or taken with a warning: kept, shown to the operator, and replayed."""
