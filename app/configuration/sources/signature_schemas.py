"""How a partner signs, on the wire: for the families that are described and not known."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.configuration.fields import Strict

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")]
Part = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class TimestampIO(Strict):
    """Where a partner writes the time that it signed."""

    header: HeaderName
    part: Part | None = Field(default=None, description="the header is a list such as `t=1700000000,v1=abc`")
    form: Literal["epoch_s", "epoch_ms", "iso"] = "epoch_s"
    window_seconds: int = Field(default=300, ge=1, le=86_400)


class SignatureIO(Strict):
    """How a partner proves itself that no family knows, or to whom Google's tokens are issued."""

    header: HeaderName | None = Field(default=None, description="where the digest stands")
    part: Part | None = Field(default=None, description="its part of a header that is a list")
    field: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="the secret itself stands in this field of the body"
    )
    prefix: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        default=None, examples=["sha256="]
    )
    algorithm: Literal["sha1", "sha256", "sha512"] | None = Field(
        default=None, description="sha256 by default"
    )
    encoding: Literal["hex", "base64"] | None = Field(default=None, description="hex by default")
    secret_form: Literal["text", "base64"] | None = Field(
        default=None, description="base64: the key is what the secret decodes to"
    )
    signed: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = Field(
        default=None,
        description="what is signed, of {body}, {timestamp}, {url}, {method}, {header:X-Name}",
        examples=["{timestamp}.{body}"],
    )
    timestamp: TimestampIO | None = None
    audience: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        default=None, description="google_oidc: the audience of the push subscription"
    )
    email: Annotated[str, StringConstraints(max_length=320)] | None = Field(
        default=None, description="google_oidc: the service account that pushes"
    )
