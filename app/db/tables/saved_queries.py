"""Saved metric queries, and the feeds by which a spreadsheet may read one without a key."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Index, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app.db.kinds import tenant_table

saved_queries = tenant_table(
    "saved_queries",
    Column("key", Text, primary_key=True, comment="its place in the URL, for ever"),
    Column("title", Text, nullable=False),
    Column("document", JSONB, nullable=False, comment="the query as it was sent: relative periods stay so"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    comment="Metric queries with a name and a stable URL.",
)

query_feeds = tenant_table(
    "query_feeds",
    Column("feed_id", Uuid, primary_key=True),
    Column("query", Text, nullable=False, comment="key of the saved query"),
    Column("name", Text, nullable=False, comment="who reads it, in the words of its maker"),
    Column(
        "reads_rows",
        Boolean,
        nullable=False,
        comment="true: shows what small groups are made of, as its maker might see it",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Index("ix_query_feeds_query", "tenant_id", "query"),
    comment="Signed URLs of saved queries; the signature is never stored.",
)
