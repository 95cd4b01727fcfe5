"""Context files: what the agent may read beside the incident, uploaded by operators."""
