"""The Akmatori API, generated from its specification; see `codegen/`."""
