"""Writes a migration: what the tables in code have over a fresh database at the newest revision."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from alembic import command

from app.db.migrate import alembic_config
from app.embedded import throwaway_server


def main(message: str) -> None:
    """Needs no database of its own: it takes a throwaway one."""
    with throwaway_server() as server:
        config = alembic_config(server.migration_url)
        command.upgrade(config, "head")
        command.revision(config, message=message, autogenerate=True)


if __name__ == "__main__":
    main(sys.argv[1])
