"""The Aotanami API, generated from its specification; see `codegen/`."""
