"""The small languages that some commands take: which of their programs only read."""
