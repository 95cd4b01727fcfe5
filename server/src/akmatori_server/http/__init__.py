"""Everything that knows connexion: routing, validation, binding, errors. Handlers need `call` only."""
