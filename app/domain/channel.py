"""Where customers speak: a closed list, whatever a source calls it."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """Where the customer spoke."""

    CALL = "call"
    CHAT = "chat"
    EMAIL = "email"
    STORE = "store"
    KIOSK = "kiosk"
    APP = "app"
    WEB = "web"
    SOCIAL = "social"
    REVIEW = "review"
    LETTER = "letter"
    MESSENGER = "messenger"
    SMS = "sms"
    OTHER = "other"
