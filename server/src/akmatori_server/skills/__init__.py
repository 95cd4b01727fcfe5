"""Skills: knowledge and tools the agent may use, as directories in the open Agent Skills format."""
