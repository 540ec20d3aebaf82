"""The shape of a database as its catalog has it: what two ways of migrating must agree on."""

import asyncpg

_HERE = "'public'::regnamespace"
_PARTS = {
    "table": f"""
        SELECT c.relname, c.relkind::text, c.relrowsecurity, c.relforcerowsecurity, c.reloptions::text,
               c.relacl::text, obj_description(c.oid, 'pg_class'), pg_get_partkeydef(c.oid),
               pg_get_expr(c.relpartbound, c.oid)
          FROM pg_class c WHERE c.relnamespace = {_HERE} AND c.relkind IN ('r', 'p', 'v', 'm', 'S')""",
    "column": f"""
        SELECT c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity::text, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE c.relnamespace = {_HERE} AND c.relkind IN ('r', 'p')""",
    "index": f"""
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisprimary
          FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE c.relnamespace = {_HERE}""",
    "constraint": f"""
        SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid)
          FROM pg_constraint WHERE connamespace = {_HERE}""",
    "policy": """
        SELECT polrelid::regclass::text, polname, polcmd::text, polroles::regrole[]::text,
               pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) FROM pg_policy""",
    "function": f"""
        SELECT pg_get_functiondef(oid), proacl::text FROM pg_proc WHERE pronamespace = {_HERE}""",
}


async def shape_of(connection: asyncpg.Connection) -> dict[str, list[str]]:
    """Tables, columns, indexes, constraints, policies and functions, each as sorted lines of text."""
    return {
        part: sorted(repr(tuple(row)) for row in await connection.fetch(query))
        for part, query in _PARTS.items()
    }
