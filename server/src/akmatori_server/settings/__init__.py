"""What an operator sets while the server runs: general, Slack, language models, proxy, retention."""
