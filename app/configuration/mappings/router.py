"""`/v1/mappings`: the gallery of ready mapping documents."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from app.configuration.fields import REFUSALS
from app.configuration.mappings import gallery
from app.deps import ConfigManager, refuse_unknown_query

router = APIRouter(
    prefix="/v1/mappings", tags=["Sources"], dependencies=[Depends(refuse_unknown_query)], responses=REFUSALS
)


class MappingOut(BaseModel):
    """A ready mapping document."""

    id: str
    title: str
    format: str = Field(description="json: for webhooks; csv, ndjson: for `vidhuk import`")


class MappingDetail(MappingOut):
    """A ready mapping document, to be used as it is or changed."""

    document: dict[str, Any]


class MappingPage(BaseModel):
    """Ready mapping documents, by id."""

    items: list[MappingOut]
    next_cursor: str | None = None


@router.get("", summary="List ready mappings", operation_id="list_mappings")
async def list_mappings(principal: ConfigManager) -> MappingPage:
    """Mapping documents that ship with the service."""
    shown = [MappingOut(id=one.id, title=one.title, format=one.format) for one in gallery.list_mappings()]
    return MappingPage(items=shown)


@router.get("/{mapping_id}", summary="Get a ready mapping", operation_id="get_mapping")
async def get_mapping(
    principal: ConfigManager, mapping_id: Annotated[str, Path(max_length=100)]
) -> MappingDetail:
    """One ready mapping, whole: put it into a source's `mapping`."""
    one = gallery.get_mapping(mapping_id)
    return MappingDetail(id=one.id, title=one.title, format=one.format, document=one.document)
