"""The migrations, in Alembic's form; `akmatori_server.database.migrate` runs them."""
