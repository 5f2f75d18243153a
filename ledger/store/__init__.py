"""SQL: engine, tables and migrations. Three areas that never mix: mirror, outbox, office."""
