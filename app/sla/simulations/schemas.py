"""The request of a simulation."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.domain.events import SubjectKind

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.\-]{0,63}$")]
MOST_SUBJECTS = 5_000


class PolicyRef(BaseModel):
    """A stored version of a policy; without `version` the newest."""

    model_config = ConfigDict(extra="forbid")

    key: Key
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)


class SimulationIn(BaseModel):
    """A draft, and the period whose subjects it is tried on."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any] | None = Field(default=None, description="a draft policy")
    key: Key | None = Field(
        default=None,
        description="the policy that the draft would be a version of, tried beside those of other keys; "
        "without it the draft is tried alone",
    )
    policy: PolicyRef | None = Field(
        default=None, description="a stored version instead of a draft, beside those of other keys"
    )
    preset: Key | None = Field(default=None, description="a preset of law, tried beside what binds")
    calendars: dict[Key, dict[str, Any]] = Field(
        default_factory=dict,
        max_length=20,
        description="drafts of calendars; without a policy they are tried under the pinned one",
    )
    subject: SubjectKind = SubjectKind.CASE
    opened_from: AwareDatetime
    opened_before: AwareDatetime
    source: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="only subjects that this source reported"
    )
    limit: int = Field(default=1_000, ge=1, le=MOST_SUBJECTS, description="subjects read; of more, a sample")
    shown: int = Field(default=50, ge=0, le=500, description="length of each list")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum(part is not None for part in (self.document, self.policy, self.preset)) > 1:
            raise ValueError("give one of document, policy and preset")
        if self.document is None and self.policy is None and self.preset is None and not self.calendars:
            raise ValueError("give a document, a policy, a preset or calendars to try")
        if self.key is not None and self.document is None:
            raise ValueError("key names the policy of a document")
        if self.opened_from >= self.opened_before:
            raise ValueError("opened_from must lie before opened_before")
        return self
