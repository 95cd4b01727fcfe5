"""What the kinds of tools can do, one package each."""
