"""How the database of a test becomes an empty one again, which is quicker than a new one."""

from __future__ import annotations

import asyncpg

_SHAPE = """
SELECT concat_ws(' ', (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_constraint),
                 (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_policy),
                 (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_rewrite))
"""
LET_GO = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Most tests touch few tables, and looking into an empty one costs a hundredth of truncating it.
EMPTY = """
DO $$
DECLARE
    name regclass;
    used boolean;
    names text[] := '{}';
BEGIN
    FOR name IN
        SELECT oid FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
           AND relname <> 'alembic_version'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', name) INTO used;
        IF used THEN names := names || name::text; END IF;
    END LOOP;
    IF names <> '{}' THEN EXECUTE 'TRUNCATE ' || array_to_string(names, ', '); END IF;
END $$
"""


async def shape_of(url: str) -> str:
    """What a test that changes the schema changes."""
    connection = await asyncpg.connect(url)
    try:
        shape: str = await connection.fetchval(_SHAPE)
        return shape
    finally:
        await connection.close()
