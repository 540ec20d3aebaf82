"""`/v1/mappings`: the gallery of ready mapping documents."""

from __future__ import annotations

from inspect import getmodule
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from app.configuration.fields import REFUSALS
from app.configuration.mappings import gallery
from app.deps import ConfigManager, refuse_unknown_query
from app.sources.base import Adapter
from app.sources.pulls import RECIPES
from app.sources.registry import ADAPTERS, USUAL_FAMILY

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


class AdapterOut(BaseModel):
    """A system that is known."""

    name: str = Field(examples=["whatsapp"])
    about: str = Field(description="what its payloads say, and what says nothing")
    verification: str = Field(description="its usual signature family", examples=["meta"])
    pull_settings: list[str] | None = Field(description="what it is asked for, where it can be asked")


class AdapterPage(BaseModel):
    """Adapters, by name."""

    items: list[AdapterOut]
    next_cursor: str | None = None


adapters = APIRouter(
    prefix="/v1/adapters", tags=["Sources"], dependencies=[Depends(refuse_unknown_query)], responses=REFUSALS
)


@adapters.get("", summary="List adapters", operation_id="list_adapters")
async def list_adapters(principal: ConfigManager) -> AdapterPage:
    """Systems that need no mapping: how each proves itself, and what its payloads say."""
    return AdapterPage(items=[_adapter_out(name, ADAPTERS[name]) for name in sorted(ADAPTERS)])


def _adapter_out(name: str, adapter: Adapter) -> AdapterOut:
    recipe = RECIPES.get(name)
    return AdapterOut(
        name=name,
        about=(getmodule(type(adapter)).__doc__ or "").strip(),
        verification=USUAL_FAMILY.get(name, "none"),
        pull_settings=None if recipe is None else list(recipe.settings),
    )


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
