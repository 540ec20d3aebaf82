"""The lint of the storage rules: each rule is a query of the catalog that lists what breaks it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

import app.db.tables  # noqa: F401 - fills the metadata
from app.db.kinds import kind_of, metadata


class Declared(NamedTuple):
    """What the code says of a table."""

    kind: str
    worker: bool = False


DECLARED: Mapping[str, Declared] = {
    table.name: Declared(kind_of(table).value, bool(table.info.get("worker")))
    for table in metadata.tables.values()
}

# `declared`: the tables of the code. `tables`: those of the database, partitions and Alembic's own left out.
_GIVEN = """
WITH declared AS (SELECT * FROM unnest($1::text[], $2::text[], $3::bool[]) AS d(name, kind, worker)),
     tables AS (SELECT c.oid, c.relname::text AS name, c.relkind, c.relrowsecurity, c.relforcerowsecurity,
                       c.relacl, c.relowner, d.kind, coalesce(d.worker, false) AS worker
                  FROM pg_class c LEFT JOIN declared d ON d.name = c.relname
                 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                   AND NOT c.relispartition AND c.relname <> 'alembic_version'),
     columns AS (SELECT t.oid, t.name, t.kind, a.attnum, a.attname::text AS "column", a.attnotnull,
                        a.attidentity, format_type(a.atttypid, a.atttypmod) AS type,
                        pg_get_expr(d.adbin, d.adrelid) AS "default"
                   FROM tables t
                   JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
                   LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum),
     indexes AS (SELECT t.name, t.kind, i.indexrelid::regclass::text AS index, i.indisunique, i.indisprimary,
                        f.attname AS first
                   FROM tables t JOIN pg_index i ON i.indrelid = t.oid
                   LEFT JOIN pg_attribute f ON f.attrelid = t.oid AND f.attnum = i.indkey[0]),
     references_ AS (SELECT t.name, t.kind, o.name AS other, o.kind AS other_kind, k.conname, k.confdeltype,
                            k.confupdtype,
                            EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS p(mine, its)
                                      JOIN pg_attribute m ON m.attrelid = k.conrelid AND m.attnum = p.mine
                                      JOIN pg_attribute i ON i.attrelid = k.confrelid AND i.attnum = p.its
                                     WHERE m.attname = 'tenant_id' AND i.attname = 'tenant_id') AS by_tenant
                       FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid
                       JOIN tables o ON o.oid = k.confrelid WHERE k.contype = 'f'),
     policies AS (SELECT t.name, t.kind, t.worker, p.polname::text AS policy, p.polcmd::text AS command,
                         p.polpermissive AS permissive,
                         ARRAY(SELECT coalesce(r.rolname::text, 'public') FROM unnest(p.polroles) AS o(oid)
                               LEFT JOIN pg_roles r ON r.oid = o.oid) AS roles,
                         pg_get_expr(p.polqual, p.polrelid) AS shown,
                         pg_get_expr(p.polwithcheck, p.polrelid) AS written
                    FROM tables t JOIN pg_policy p ON p.polrelid = t.oid)
"""

# Quotes are doubled: it stands in a literal.
_MINE = "(tenant_id = (NULLIF(current_setting(''app.tenant_id''::text, true), ''''::text))::uuid)"
_OPERATOR = "('tenants', 'tenant_head', 'api_keys', 'audit')"
_LOOKED_UP = "('api_keys', 'inlets', 'tenants')"
_REPORTED = (
    "('tenants', 'feedback', 'volumes', 'cases', 'sla_timers', "
    "'questions', 'directory', 'attributes', 'sources', 'metric_terms', 'events', 'event_personal')"
)
_NEVER_REPORTED = (
    "('sealed_secret', 'sealed_secrets', 'mapping', 'defaults', 'details', 'detection', 'data', "
    "'external_id')"
)
_LOGIN = "(tenant_id = (\"substring\"((SESSION_USER)::text, ''^bi_([0-9a-f]{32})_''::text))::uuid)"
# Of the journal: what is told of cases, orders and reviews, and a few other kinds of facts.
_OF_FACTS = (
    f"({_LOGIN} AND ((subject_kind = ANY (ARRAY[''case''::text, ''order''::text, ''review''::text])) OR "
    "(type = ANY (ARRAY[''rating.displayed''::text, ''event.retracted''::text, "
    "''transaction.completed''::text, ''customer.returned''::text]))))"
)

# The policies that each kind of table calls for: (name, command, roles, shown, written).
_WANTED = f"""
SELECT t.name, w.* FROM tables t CROSS JOIN LATERAL (VALUES
    ('own_rows', '*', 'vidhuk_app', '{_MINE}', '{_MINE}', t.kind IN ('tenant', 'local')),
    ('own_row', 'r', 'vidhuk_app', '{_MINE}', NULL, t.kind = 'reference'),
    ('worker', 'r', 'vidhuk_worker', 'true', NULL, t.kind = 'reference'),
    ('worker', '*', 'vidhuk_worker', 'true', 'true', t.kind = 'local' AND t.worker),
    ('operator', '*', 'vidhuk_operator', 'true', 'true', t.name IN {_OPERATOR}),
    ('reports', 'r', 'vidhuk_bi', '{_LOGIN}', NULL, t.name IN {_REPORTED} AND t.name <> 'events'),
    ('reports', 'r', 'vidhuk_bi', '{_OF_FACTS}', NULL, t.name = 'events')
) AS w(policy, command, role, shown, written, due) WHERE w.due
"""

RULES: Mapping[str, str] = {
    "every table is declared, and every declared table is there": """
        SELECT coalesce(t.name, d.name) FROM tables t FULL JOIN declared d ON d.name = t.name
         WHERE t.oid IS NULL OR d.name IS NULL""",
    "every row of a tenant names its tenant": """
        SELECT t.name FROM tables t WHERE t.kind IN ('tenant', 'local') AND NOT EXISTS (
            SELECT FROM columns c
             WHERE c.oid = t.oid AND c."column" = 'tenant_id' AND c.type = 'uuid' AND c.attnotnull)""",
    "every table has a primary key": """
        SELECT t.name FROM tables t
         WHERE NOT EXISTS (SELECT FROM indexes i WHERE i.name = t.name AND i.indisprimary)""",
    "the tenant stands first in every index of a tenant table": """
        SELECT index FROM indexes WHERE kind = 'tenant' AND first IS DISTINCT FROM 'tenant_id'""",
    "references between tenant tables go by tenant, and none leads from a local table to them": """
        SELECT conname::text FROM references_
         WHERE (kind = 'tenant' AND other_kind = 'tenant' AND NOT by_tenant)
            OR (kind <> other_kind AND 'local' IN (kind, other_kind))""",
    "nothing is set to null or to a default when what it refers to goes": """
        SELECT conname::text FROM references_ WHERE confdeltype IN ('n', 'd') OR confupdtype IN ('n', 'd')""",
    "there are no triggers and no rewrite rules": """
        SELECT g.tgname::text FROM pg_trigger g JOIN tables t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal
        UNION ALL
        SELECT r.rulename::text FROM pg_rewrite r JOIN tables t ON t.oid = r.ev_class""",
    "numbers are drawn in local tables only": """
        SELECT name || '.' || "column" FROM columns
         WHERE (attidentity <> '' OR "default" LIKE '%nextval(%') AND kind <> 'local'
        UNION ALL
        SELECT name || '.' || "column" FROM columns WHERE "default" LIKE '%nextval(%'""",
    "no default asks the clock or chance": """
        SELECT name || '.' || "column" FROM columns
         WHERE "default" ~* '(now|timestamp|random|uuid|current_)' AND "default" !~ '^''[^'']*''::'""",
    "times have a zone": """
        SELECT name || '.' || "column" FROM columns WHERE type LIKE '%without time zone%'""",
    "texts and numbers are not cut": """
        SELECT name || '.' || "column" FROM columns WHERE type ~ '^(character|bpchar|real|money)'""",
    "every table says what it is for": """
        SELECT t.name FROM tables t WHERE coalesce(obj_description(t.oid, 'pg_class'), '') = ''""",
    "row-level security is on, and forced upon the owner but where the look-ups read": f"""
        SELECT name FROM tables
         WHERE NOT relrowsecurity OR (NOT relforcerowsecurity AND name NOT IN {_LOOKED_UP})""",
    "each table has the policies of its kind, word for word": f"""
        SELECT w.name || '.' || w.policy FROM ({_WANTED}) w
          LEFT JOIN policies p ON p.name = w.name AND p.policy = w.policy
         WHERE (p.command, p.roles, p.permissive) IS DISTINCT FROM (w.command, ARRAY[w.role], true)
            OR (p.shown, p.written) IS DISTINCT FROM (w.shown, w.written)""",
    "and no other policies": f"""
        SELECT p.name || '.' || p.policy FROM policies p
         WHERE NOT EXISTS (SELECT FROM ({_WANTED}) w WHERE w.name = p.name AND w.policy = p.policy)""",
    "nobody is granted more than the policies allow": f"""
        SELECT t.name || ': ' || a.privilege_type || ' to ' || coalesce(r.rolname::text, 'public')
          FROM tables t CROSS JOIN LATERAL aclexplode(t.relacl) AS a
          LEFT JOIN pg_roles r ON r.oid = a.grantee
         WHERE a.grantee <> t.relowner AND (a.is_grantable OR NOT EXISTS (
               SELECT FROM policies p WHERE p.name = t.name AND r.rolname::text = ANY (p.roles)
                  AND (a.privilege_type = 'SELECT'
                       OR p.command = '*' AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE'))))
        UNION ALL
        SELECT t.name || '.' || a.attname FROM tables t
          JOIN pg_attribute a ON a.attrelid = t.oid CROSS JOIN LATERAL aclexplode(a.attacl) AS g
         WHERE g.grantee <> 'vidhuk_bi'::regrole OR g.privilege_type <> 'SELECT' OR g.is_grantable
            OR t.name NOT IN {_REPORTED} OR a.attname IN {_NEVER_REPORTED}""",
    "partitions are reached through their table, and none is wanting": """
        SELECT c.relname::text FROM pg_class c
         WHERE c.relispartition AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND EXISTS (SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee <> c.relowner)
        UNION ALL
        SELECT t.name FROM tables t JOIN pg_partitioned_table p ON p.partrelid = t.oid
         WHERE p.partdefid = 0""",
    "only the two narrow look-ups run with their owner's rights": """
        SELECT proname::text FROM pg_proc
         WHERE pronamespace = 'public'::regnamespace AND prosecdef AND
               (proname NOT IN ('find_api_key', 'find_inlet')
                OR NOT coalesce(proconfig::text LIKE '%search_path=%', false)
                OR EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) AS a
                            WHERE a.grantee <> proowner AND a.grantee <> 'vidhuk_app'::regrole))""",
    "the roles of the service are bound by row-level security, own nothing and cannot log in": """
        SELECT rolname::text FROM pg_roles r
         WHERE rolname IN ('vidhuk_app', 'vidhuk_worker', 'vidhuk_operator', 'vidhuk_bi')
           AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolreplication
                OR EXISTS (SELECT FROM pg_class WHERE relowner = r.oid)
                OR EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid))""",
    "every view shows a reader no more than the reader may see": """
        SELECT c.relname::text FROM pg_class c
         WHERE c.relnamespace IN ('public'::regnamespace, 'bi'::regnamespace) AND (c.relkind = 'm'
            OR c.relkind = 'v' AND NOT coalesce(c.reloptions @> ARRAY['security_invoker=true'], false))""",
}


@dataclass(frozen=True)
class Finding:
    """Something in the database that breaks a rule."""

    rule: str
    thing: str


async def lint(connection: asyncpg.Connection, declared: Mapping[str, Declared] = DECLARED) -> list[Finding]:
    """Everything in the database that breaks a rule."""
    kinds, workers = zip(*declared.values(), strict=True)
    findings = []
    for rule, query in RULES.items():
        statement = f"{_GIVEN} SELECT thing FROM ({query}) AS found(thing)"
        rows = await connection.fetch(statement, list(declared), kinds, workers)
        findings += [Finding(rule, row["thing"]) for row in rows]
    return findings
