"""Alert sources: who may send alerts, and how their payloads are read."""
