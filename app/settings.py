"""Every environment variable of the service, typed and explained; read only at the top of the house."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LEASE_SLACK_SECONDS = 3.0


class Settings(BaseSettings):
    """Settings from `VIDHUK_*` variables (and `DATABASE_URL`, `MIGRATION_URL`), or from a `.env` file."""

    model_config = SettingsConfigDict(env_prefix="VIDHUK_", env_file=".env", extra="ignore", frozen=True)

    database_url: str = Field(
        default="postgresql://vidhuk@127.0.0.1:5432/vidhuk",
        validation_alias="DATABASE_URL",
        description="the service's login: no superuser, member of vidhuk_app, vidhuk_worker, vidhuk_operator",
    )
    migration_url: str | None = Field(
        default=None,
        validation_alias="MIGRATION_URL",
        description="the owner of the schema (may create roles); default: the same as DATABASE_URL",
    )
    home: Path = Field(default=Path(".vidhuk"), description="where `demo` keeps its database and its keys")
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8080, ge=0, le=65535, description="port to listen on")
    master_keys: Annotated[list[SecretStr], NoDecode] = Field(
        default_factory=list,
        description="comma-separated `id:base64` keys (32 bytes) that seal secrets at rest; the first seals",
    )
    operator_key: SecretStr | None = Field(
        default=None, description="the operator's API key (manages tenants)"
    )
    environment: str = Field(
        default="live", pattern="^[a-z]{2,10}$", description="middle part of new API keys"
    )
    pool_size: int = Field(default=10, ge=2, le=100, description="database connections of one process")
    log_level: str = Field(default="info", description="debug, info, warning or error")
    log_json: bool = Field(default=True, description="one JSON object a line; false: for people")

    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="role `worker`: answer Prometheus on this port (the API answers at /metrics)",
    )

    egress_allow: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="comma-separated networks that webhooks may reach although private"
    )
    max_body_bytes: int = Field(default=32 * 1024 * 1024, description="largest request body")
    body_deadline_seconds: float = Field(default=30.0, gt=0, description="a body must have arrived by then")
    settle_seconds: float = Field(
        default=60.0, ge=0, description="a timer learned of after its due time fires this long after"
    )
    attempt_deadline_seconds: float = Field(
        default=15.0, gt=0.01, le=30, description="one whole webhook attempt"
    )
    lease_seconds: float = Field(
        default=90.0, gt=0, description="claim of a delivery before another may take it"
    )
    poll_seconds: float = Field(
        default=3.0, gt=0, description="longest sleep of a worker loop: what a lost wakeup costs"
    )
    webhook_origin: str = Field(
        default="vidhuk",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$",
        description="the name that receivers of CloudEvents are asked to allow; best the service's DNS name",
    )
    message_retention_days: int = Field(
        default=90, ge=1, description="webhook messages and attempts older than this are deleted"
    )
    raw_retention_days: int = Field(default=30, ge=1, description="raw payloads older than this are dropped")

    @field_validator("master_keys", "egress_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @model_validator(mode="after")
    def _lease_outlasts_attempt(self) -> Self:
        if self.lease_seconds < self.attempt_deadline_seconds + LEASE_SLACK_SECONDS:
            raise ValueError(
                "VIDHUK_LEASE_SECONDS must outlast VIDHUK_ATTEMPT_DEADLINE_SECONDS by "
                f"{LEASE_SLACK_SECONDS:g} s, or no attempt would ever be begun"
            )
        return self

    @property
    def owner_url(self) -> str:
        """The URL that migrations use."""
        return self.migration_url or self.database_url
