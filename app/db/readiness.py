"""May this process work on this database: its login sees no more than it should, and the schema is there."""

from __future__ import annotations

from app.db.engine import APP_ROLE, OPERATOR_ROLE, WORKER_ROLE, Tx
from app.db.revisions import revisions

# `session_user` is the login whatever role is set, and a role that it may become is as good as its own.
_LOGIN = """
SELECT session_user AS login, me.rolsuper, me.rolbypassrls,
       ARRAY(SELECT rolname::text FROM pg_roles
             WHERE (rolsuper OR rolbypassrls) AND oid <> me.oid AND pg_has_role(me.oid, oid, 'MEMBER')
             ORDER BY rolname) AS may_become,
       ARRAY(SELECT relname::text FROM pg_class
             WHERE relkind IN ('r', 'p') AND pg_has_role(me.oid, relowner, 'MEMBER')
               AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('tenants'))
             ORDER BY relname LIMIT 3) AS owned,
       ARRAY(SELECT needed FROM unnest($1::text[]) AS needed
             WHERE NOT EXISTS (SELECT FROM pg_roles
                               WHERE rolname = needed AND pg_has_role(me.oid, oid, 'MEMBER'))
             ORDER BY needed) AS missing
  FROM pg_roles AS me
 WHERE me.rolname = session_user
"""


async def check_login(tx: Tx) -> list[str]:
    """What is wrong with the login, a sentence each; [] when row-level security binds it."""
    found = await tx.fetchrow(_LOGIN, [APP_ROLE, WORKER_ROLE, OPERATOR_ROLE])
    login = found["login"]
    if found["rolsuper"]:
        return [f"login: {login} is a superuser, whom row-level security does not bind"]
    problems = []
    if found["rolbypassrls"]:
        problems.append(f"login: {login} has BYPASSRLS, so that it sees the rows of every tenant")
    if found["may_become"]:
        names = ", ".join(found["may_become"])
        problems.append(f"login: {login} may become {names}, whom row-level security does not bind")
    if found["owned"]:
        names = ", ".join(found["owned"])
        problems.append(f"login: {login} owns tables ({names}, ...), so that it could unlock them")
    if found["missing"]:
        problems.append(f"login: {login} is no member of {', '.join(found['missing'])}; run `vidhuk migrate`")
    return problems


async def check_schema(tx: Tx) -> list[str]:
    """What is wrong with the schema; [] when it is that of this release.

    A revision unknown here is that of a newer release, which leaves the one before it able to work:
    its replicas stay ready while they are replaced one by one.
    """
    if await tx.fetchval("SELECT to_regclass('alembic_version')") is None:
        return ["schema: the database is empty; run `vidhuk migrate`"]
    revision = await tx.fetchval("SELECT version_num FROM alembic_version")
    head, *older = revisions()
    if revision is None or revision in older:
        return [f"schema: at {revision or 'no revision'}, this release needs {head}; run `vidhuk migrate`"]
    return []
