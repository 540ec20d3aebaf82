"""The gallery: mapping documents that ship with the service, read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from app.domain.errors import NotFoundError
from app.kit import json


@dataclass(frozen=True, slots=True)
class ReadyMapping:
    """A document of the gallery."""

    id: str
    title: str
    format: str
    document: dict[str, Any]


@lru_cache(maxsize=1)
def list_mappings() -> tuple[ReadyMapping, ...]:
    """Every document, by id."""
    folder = files("app.configuration.mappings") / "documents"
    documents = [json.loads(file.read_bytes()) for file in folder.iterdir() if file.name.endswith(".json")]
    ready = [ReadyMapping(one["id"], one.get("title", one["id"]), one["format"], one) for one in documents]
    return tuple(sorted(ready, key=lambda one: one.id))


def get_mapping(mapping_id: str) -> ReadyMapping:
    """One document. Raises NotFoundError."""
    for one in list_mappings():
        if one.id == mapping_id:
            return one
    raise NotFoundError("not_found", f"the gallery has no mapping {mapping_id[:60]!r}")
