"""The rules a specification keeps beside OpenAPI's own; `codegen.lint` runs them."""
