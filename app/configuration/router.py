"""The routes of configuration, concept by concept."""

from __future__ import annotations

from fastapi import APIRouter

from app.configuration.asking.router import router as asking
from app.configuration.attributes.router import router as attributes
from app.configuration.documents.calendars_router import router as calendars
from app.configuration.documents.policies_router import router as policies
from app.configuration.journey.router import router as journey
from app.configuration.nouns.router import router as nouns
from app.configuration.questions.router import router as questions
from app.configuration.retention.router import router as retention
from app.configuration.sources.router import router as sources

router = APIRouter()
for concept in (nouns, questions, attributes, calendars, policies, sources, asking, retention, journey):
    router.include_router(concept)
