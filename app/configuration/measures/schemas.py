"""What terms and annotations look like on the wire."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from app.configuration.fields import Key, Strict, Title
from app.domain.errors import InvalidError
from app.domain.measures.registry import get_metric
from app.domain.measures.terms import SilentMode

Share = Annotated[float, Field(ge=0, le=1)]
Threshold = Annotated[float, Field(gt=0, le=1)]


def _known_metric(name: str) -> str:
    try:
        return get_metric(name).id
    except InvalidError as error:
        raise ValueError(f"{error.detail}. {error.cure}") from None


class CoefficientIn(Strict):
    """How much a silent customer counts as a discontent one."""

    mode: SilentMode = SilentMode.FIXED
    k: Share = Field(default=0.5, description="P(dissatisfied | silent) of mode `fixed`, and of its stand-in")
    followed_up: int = Field(default=0, ge=0, le=10**7, description="silents asked again; 50 are needed")
    dissatisfied: int = Field(default=0, ge=0, le=10**7, description="of them, found discontent")
    smoothed: bool = Field(default=False, description="draw the calibrated k towards 0.5 by 20 answers")

    @model_validator(mode="after")
    def _no_more_than_asked(self) -> CoefficientIn:
        if self.dissatisfied > self.followed_up:
            raise ValueError("more silents were dissatisfied than were followed up")
        return self


class LocationTypeIn(CoefficientIn):
    """Locations whose silent customers are alike, with a k of their own."""

    locations: list[Key] = Field(min_length=1, max_length=10_000)


class SilentIn(CoefficientIn):
    """The k of all locations, and of the types that have their own."""

    location_types: dict[Key, LocationTypeIn] = Field(default_factory=dict, max_length=20)

    @model_validator(mode="after")
    def _one_type_each(self) -> SilentIn:
        named = [key for told in self.location_types.values() for key in told.locations]
        twice = {key for key, times in Counter(named).items() if times > 1}
        if twice:
            raise ValueError(f"{min(twice)!r} is named twice; a location is of one type")
        return self


class CoverageIn(Strict):
    """The share of visitors that must have been asked for an index to speak for them."""

    minimum: Threshold | None = Field(default=None, description="unset: indices stay `unverified`")
    locations: dict[Key, Threshold] = Field(default_factory=dict, max_length=10_000)


class VoiceRatesIn(Strict):
    """The share of the discontent who say so unasked: a range, for a debated figure."""

    low: Threshold = 0.05
    high: Threshold = 0.5

    @model_validator(mode="after")
    def _low_is_low(self) -> VoiceRatesIn:
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


class TermsIn(Strict):
    """What the numbers depend on besides the data. A change is a new version; the old ones stay."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "silent": {
                        "k": 0.5,
                        "location_types": {
                            "desk": {
                                "locations": ["kyiv"],
                                "mode": "calibrated",
                                "followed_up": 60,
                                "dissatisfied": 21,
                            }
                        },
                    },
                    "coverage": {"minimum": 0.07, "locations": {"kyiv": 0.7}},
                    "headline_metric": "csat_t2b",
                }
            ]
        },
    )

    valid_from: AwareDatetime | None = Field(default=None, description="default: now")
    silent: SilentIn = Field(default_factory=SilentIn)
    coverage: CoverageIn = Field(default_factory=CoverageIn)
    force_majeure_max: Share = Field(
        default=0.10, description="confirmed level beyond which nothing is a KPI"
    )
    voice_rates: VoiceRatesIn = Field(default_factory=VoiceRatesIn)
    headline_metric: Annotated[str, Field(max_length=64), AfterValidator(_known_metric)] = "csat_t2b"

    def document(self) -> dict[str, Any]:
        """What is stored."""
        return self.model_dump(mode="json", exclude={"valid_from", "version"})


class TermsOut(TermsIn):
    """One version of the terms; version 0 are the defaults that hold before the first."""

    model_config = ConfigDict(extra="ignore")

    version: int
    valid_from: datetime | None = None


class TermsPage(BaseModel):
    """Versions, the newest first."""

    items: list[TermsOut]


class AnnotationIn(Strict):
    """Something that happened to the tenant and that its numbers cannot tell."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"starts_at": "2026-02-01T00:00:00+02:00", "title": "New wording", "breaks_series": True}
            ]
        },
    )

    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = Field(default=None, description="null: it lasts")
    title: Title
    breaks_series: bool = Field(default=True, description="no significance is claimed across its ends")

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> AnnotationIn:
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be after starts_at")
        return self


class AnnotationOut(BaseModel):
    """A stored annotation."""

    key: str
    starts_at: datetime
    ends_at: datetime | None
    title: str
    breaks_series: bool


class AnnotationPage(BaseModel):
    """A page of annotations, by key."""

    items: list[AnnotationOut]
    next_cursor: str | None = None
