"""The three kinds of table, declared where the table is: tenant, reference, local (design.md, section 9)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import Column, MetaData, Table, Uuid
from sqlalchemy.schema import SchemaItem

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)


class TableKind(StrEnum):
    """How a table is spread over the nodes of a cluster, and who may see which of its rows."""

    TENANT = "tenant"
    REFERENCE = "reference"
    LOCAL = "local"


def tenant_table(name: str, *items: SchemaItem, comment: str, **options: Any) -> Table:
    """A table distributed by `tenant_id`: it stands first in the primary key, rows belong to one tenant."""
    return _table(TableKind.TENANT, name, _tenant_key(primary_key=True), *items, comment=comment, **options)


def local_table(name: str, *items: SchemaItem, comment: str, worker: bool = False, **options: Any) -> Table:
    """A table of the coordinator only (queues, look-ups). `worker` marks those claimed across tenants."""
    table = _table(TableKind.LOCAL, name, _tenant_key(primary_key=False), *items, comment=comment, **options)
    table.info["worker"] = worker
    return table


def reference_table(name: str, *items: SchemaItem, comment: str, **options: Any) -> Table:
    """A small, rarely written table, whole on every node."""
    return _table(TableKind.REFERENCE, name, *items, comment=comment, **options)


def kind_of(table: Table) -> TableKind:
    """The declared kind of a table."""
    return TableKind(table.info["kind"])


def _tenant_key(*, primary_key: bool) -> Column[Any]:
    return Column("tenant_id", Uuid, primary_key=primary_key, nullable=False)


def _table(kind: TableKind, name: str, *items: SchemaItem, comment: str, **options: Any) -> Table:
    return Table(name, metadata, *items, comment=comment, info={"kind": kind}, **options)
