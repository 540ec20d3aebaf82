"""The obvious sender without a queue: aiohttp posts signed bodies, so many at a time."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Iterator

import aiohttp
import uvloop

_SECRET = bytes(32)


async def post_all(url: str, count: int, in_flight: int) -> None:
    """Post `count` bodies to the URL, `in_flight` at a time."""
    numbers = iter(range(count))
    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(_post_some(session, url, numbers))


async def _post_some(session: aiohttp.ClientSession, url: str, numbers: Iterator[int]) -> None:
    for number in numbers:
        data = {"case": {"id": f"case_{number}", "kind": "complaint"}, "note": "x" * 400}
        body = json.dumps({"type": "case.opened", "timestamp": "2026-11-22T00:00:00Z", "data": data}).encode()
        async with session.post(url, data=body, headers=_signed(f"msg_{number}", body)) as answer:
            await answer.read()


def _signed(message_id: str, body: bytes) -> dict[str, str]:
    at = str(int(time.time()))
    digest = hmac.digest(_SECRET, f"{message_id}.{at}.".encode() + body, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


if __name__ == "__main__":
    uvloop.run(post_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
