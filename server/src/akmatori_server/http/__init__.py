"""Everything that knows connexion: routing, validation, binding, errors."""
