"""What documents of care look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class CareDocumentOut(BaseModel):
    """One version of a document; it never changes, and binds what opens or is reopened after it."""

    version: int = Field(description="0: the preset, which holds until you write your own", examples=[1])
    document: dict[str, Any] | None = Field(description="null: nothing holds yet")
    created_at: datetime | None = Field(description="null: the preset")


class CareDocumentPage(BaseModel):
    """Versions of a document, the newest first; the preset is not listed."""

    items: list[CareDocumentOut]
    next_cursor: str | None = None
