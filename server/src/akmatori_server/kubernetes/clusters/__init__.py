"""Live clusters: which there are, what is read of them, and the rights that it takes."""
