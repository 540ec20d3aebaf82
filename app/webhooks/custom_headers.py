"""Which headers a tenant may add to its webhooks: visible ASCII, and none that the request itself needs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.domain.errors import InvalidError

MAX_HEADERS = 20
MAX_VALUE_LENGTH = 1_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_OURS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
    }
)
_OUR_PREFIXES = ("content-", "webhook-", "proxy-", "sec-")


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that could change the request's meaning. Raises InvalidError with its pointer."""
    if len(headers) > MAX_HEADERS:
        raise InvalidError("too_many_headers", f"at most {MAX_HEADERS} custom headers", pointer="/headers")
    seen: set[str] = set()
    for name, value in headers.items():
        pointer = "/headers/" + name.replace("~", "~0").replace("/", "~1")
        lower = name.lower()
        if not _NAME.fullmatch(name):
            raise InvalidError("bad_header_name", f"{name[:60]!r} is not a header name", pointer=pointer)
        if lower in _OURS or lower.startswith(_OUR_PREFIXES):
            raise InvalidError("reserved_header", f"`{name}` is set by the service itself", pointer=pointer)
        if lower in seen:
            raise InvalidError("repeated_header", f"`{name}` stands there twice", pointer=pointer)
        if len(value) > MAX_VALUE_LENGTH or not _VALUE.fullmatch(value):
            raise InvalidError(
                "bad_header_value",
                f"the value of `{name}` is not 1 to {MAX_VALUE_LENGTH} visible ASCII characters",
                pointer=pointer,
            )
        seen.add(lower)
