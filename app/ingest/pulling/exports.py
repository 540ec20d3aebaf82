"""Partners that list nothing: an export is asked for, waited for, and its file is read (Qualtrics).

An export takes as long as it takes: `cursor` remembers it, and the next turn goes on where this one left off.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.ingest.pulling.client import PullClient, PullError
from app.kit import json
from app.kit.clock import Clock
from app.sources.pulls import Recipe, first_page, page_request

LOOKS = 10
LOOK_SECONDS = 1.0
OVERLAP = timedelta(hours=1)
"""How much is asked for again: what was being recorded while the export before was made."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


async def export(
    client: PullClient,
    recipe: Recipe,
    settings: Mapping[str, str],
    credentials: Mapping[str, str],
    cursor: dict[str, Any],
    clock: Clock,
) -> bytes | None:
    """The file of what was recorded since the last one, None while it is not ready. Raises PullError."""
    base = first_page(recipe, settings)
    asked = page_request(recipe, base, credentials, None, clock())

    async def ask(path: str, body: bytes | None = None) -> Mapping[str, Any]:
        request = replace(asked, url=base + path)
        if body is not None:
            headers = {**asked.headers, "Content-Type": "application/json"}
            request = replace(request, method="POST", body=body, headers=headers)
        return _result((await client.fetch(request)).body)

    if "export" not in cursor:
        wanted: dict[str, Any] = {"format": "json", "compress": False}
        if cursor.get("since"):
            wanted["startDate"] = cursor["since"]
        cursor["until"] = _stamp(clock() - OVERLAP)
        cursor["export"] = _id(await ask("", json.dumps(wanted)), "progressId")
    for look in range(LOOKS):
        try:
            state = await ask(f"/{cursor['export']}")
            if state.get("status") == "failed":
                raise PullError("the partner could not make the export")
        except PullError:
            del cursor["export"]  # the next turn asks for another
            raise
        if state.get("status") == "complete":
            file = await client.fetch(replace(asked, url=f"{base}/{_id(state, 'fileId')}/file"))
            cursor["since"] = cursor.pop("until", None)
            del cursor["export"]
            return file.body
        if look + 1 < LOOKS:
            await asyncio.sleep(LOOK_SECONDS)
    return None


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _result(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.parse_untrusted(body)
    except json.JsonError as error:
        raise PullError(f"the partner's answer is no JSON ({error.reason})") from error
    result = document.get("result") if isinstance(document, dict) else None
    if not isinstance(result, dict):
        raise PullError("the partner's answer has no result")
    return result


def _id(result: Mapping[str, Any], key: str) -> str:
    """An id that becomes part of an address."""
    found = result.get(key)
    if not isinstance(found, str) or _ID.fullmatch(found) is None:
        raise PullError(f"the partner's answer names no {key}")
    return found
