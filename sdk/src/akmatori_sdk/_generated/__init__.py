"""Code made by `nox -s codegen` from spec/. Nothing in here is edited by hand."""
