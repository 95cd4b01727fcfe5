"""Actions that would change something: proposed by an investigation, decided by a person, done once."""
