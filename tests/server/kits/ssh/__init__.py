"""SSH tools."""
