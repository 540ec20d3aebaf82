"""Schema migrations: one DDL statement per execute, tested up, down and up again."""
