"""The framework's own price: FastAPI, the same request and response models, nothing stored."""

from __future__ import annotations

from fastapi import FastAPI

from app.ingest.router import EventResult
from app.ingest.schemas import EventIn, FeedbackReceived


class Rating(EventIn):
    """The envelope with its data typed, as a FastAPI service would declare it."""

    data: FeedbackReceived  # type: ignore[assignment]


app = FastAPI()


@app.post("/v1/events", status_code=201)
async def post_event(rating: Rating) -> EventResult:
    """Validate, store nothing, answer."""
    return EventResult(id=rating.id, status="created", event_id=rating.id)
