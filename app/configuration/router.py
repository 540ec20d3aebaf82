"""The routes of configuration, concept by concept."""

from __future__ import annotations

from fastapi import APIRouter

from app.configuration.asking.router import router as asking
from app.configuration.attributes.router import router as attributes
from app.configuration.care.router import router as care
from app.configuration.documents.calendars_router import router as calendars
from app.configuration.documents.policies_router import router as policies
from app.configuration.documents.presets_router import router as presets
from app.configuration.journey.router import router as journey
from app.configuration.mappings.router import router as mappings
from app.configuration.measures.router import router as measures
from app.configuration.nouns.router import router as nouns
from app.configuration.questions.router import router as questions
from app.configuration.retention.router import router as retention
from app.configuration.sources.router import router as sources

router = APIRouter()
CONCEPTS = (
    nouns,
    questions,
    attributes,
    calendars,
    policies,
    presets,
    sources,
    mappings,
    measures,
    asking,
    care,
    retention,
    journey,
)
for concept in CONCEPTS:
    router.include_router(concept)
