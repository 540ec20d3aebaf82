"""The obvious service: FastAPI, a SQLAlchemy session, one INSERT into one table, commit, answer."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from fastapi import FastAPI
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.ingest.router import EventResult
from benchmarks.peers.noop import Rating


class Base(DeclarativeBase):
    """Metadata of the one table."""


class Feedback(Base):
    """A rating as it came."""

    __tablename__ = "naive_feedback"

    row_id: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(index=True)
    source: Mapped[str]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    kind: Mapped[str | None]
    channel: Mapped[str | None]
    touchpoint: Mapped[str | None]
    journey_stage: Mapped[str | None]
    location: Mapped[str | None]
    employee: Mapped[str | None]
    segment: Mapped[str | None]
    product: Mapped[str | None]
    question: Mapped[str | None]
    scale: Mapped[str | None]
    value: Mapped[Decimal | None]
    text: Mapped[str | None]
    lang: Mapped[str | None]
    collection_mode: Mapped[str | None]
    incentivised: Mapped[bool | None]
    customer: Mapped[str | None]
    attributes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


engine = create_async_engine(os.environ["NAIVE_DATABASE_URL"], pool_size=16)
sessions = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the table."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
_SAME_NAME = {column.key for column in Feedback.__table__.columns} - {"customer", "value"}


@app.post("/v1/events", status_code=201)
async def post_event(rating: Rating) -> EventResult:
    """Validate, insert, commit, answer."""
    data = rating.data
    row = Feedback(
        id=rating.id,
        source=rating.source,
        occurred_at=datetime.fromisoformat(rating.occurred_at).replace(tzinfo=None),
        customer=None if data.customer is None else data.customer.value,
        value=None if data.value is None else Decimal(data.value),
        **{name: value for name, value in data.model_dump().items() if name in _SAME_NAME},
    )
    async with sessions() as session:
        session.add(row)
        await session.commit()
        return EventResult(id=rating.id, status="created", event_id=str(row.row_id))
