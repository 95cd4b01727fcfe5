"""The documentation of the API: the specifications as they are, and a page that works offline."""
