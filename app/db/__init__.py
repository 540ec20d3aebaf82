"""The database: engine, kinds of table, tables, wake-ups."""
