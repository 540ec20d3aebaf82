"""The operator: one key of the process's settings, who manages tenants and belongs to none."""

from __future__ import annotations

import hmac
from typing import Annotated, Protocol

from fastapi import Depends, Request
from pydantic import SecretStr

from app.auth import UnauthenticatedError, hash_key, key_of
from app.domain.errors import ForbiddenError


class KeySettings(Protocol):
    """What this slice takes from the settings of the process."""

    @property
    def operator_key(self) -> SecretStr | None: ...
    @property
    def environment(self) -> str: ...


def get_key_settings(request: Request) -> KeySettings:
    """The operator's key, and the environment that new keys name."""
    settings: KeySettings = request.app.state.services.settings
    return settings


KeySettingsDep = Annotated[KeySettings, Depends(get_key_settings)]


def require_operator(request: Request, settings: KeySettingsDep) -> None:
    """Refuse everybody but the operator: 403 while there is none, 401 for another key."""
    if settings.operator_key is None or not settings.operator_key.get_secret_value():
        raise ForbiddenError(
            "operator_disabled",
            "this service was started without an operator key, so nobody may manage tenants here",
            cure="set VIDHUK_OPERATOR_KEY and start it again, or use the command line (`vidhuk tenants`)",
        )
    # hashes have one length: comparing them tells nothing, not even how long the key is
    expected = hash_key(settings.operator_key.get_secret_value())
    if not hmac.compare_digest(hash_key(key_of(request.headers)), expected):
        raise UnauthenticatedError(
            "unknown_key",
            "this is not the operator's key",
            pointer="header:Authorization",
            cure="send the value of VIDHUK_OPERATOR_KEY as the Bearer key; keys of tenants do not count here",
        )
