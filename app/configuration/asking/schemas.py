"""What an asking policy and its versions look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.domain.asking.policy import preset_document

POLICY_EXAMPLE = preset_document()


class AskingPolicyOut(BaseModel):
    """One version of the asking policy; it never changes. Version 0: the defaults, until one is written."""

    version: int = Field(examples=[1])
    document: dict[str, Any] = Field(examples=[POLICY_EXAMPLE])
    created_at: datetime | None


class AskingPolicyPage(BaseModel):
    """Versions of the asking policy, the newest first."""

    items: list[AskingPolicyOut]
    next_cursor: str | None = None


class AskingPreset(BaseModel):
    """The defaults of the method with every moment, to be adopted or changed."""

    document: dict[str, Any] = Field(examples=[POLICY_EXAMPLE])
