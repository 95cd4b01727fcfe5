"""Health: whether the process runs, whether it can take work, and its numbers."""
