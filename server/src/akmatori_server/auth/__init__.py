"""Who is calling: passwords, tokens, API keys, scopes."""
