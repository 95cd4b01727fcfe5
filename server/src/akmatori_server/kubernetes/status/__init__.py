"""How the clusters are, and the server itself."""
