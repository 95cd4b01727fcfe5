"""MCP servers whose tools the agent may call."""
