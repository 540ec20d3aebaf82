"""One request of a pull over HTTP: vetted address, no redirects, no proxy, a deadline and a byte cap."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import httpx

from app.sources.pulls import PullRequest

DEADLINE_SECONDS = 30.0
MAX_BYTES = 16 * 1024 * 1024


class PullError(Exception):
    """A page could not be had; `retry_after_seconds` is what the partner asks for."""

    def __init__(self, detail: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class Vetting(Protocol):
    """The guard of outgoing requests: the addresses of a URL that may be connected to."""

    async def __call__(self, url: str) -> Sequence[IPv4Address | IPv6Address]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a partner answered."""

    status: int
    body: bytes


class PullClient:
    """Sends requests to the hosts of the recipes; `hosts` replaces origins by others (in tests)."""

    def __init__(self, vetting: Vetting, hosts: Mapping[str, str] | None = None) -> None:
        self._vetting = vetting
        self._hosts = dict(hosts or {})

    async def fetch(self, request: PullRequest) -> Answer:
        """The answer of a partner, whatever its status. Raises PullError."""
        url = self._replaced(request.url)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await self._send(request, url)
        except TimeoutError as error:
            raise PullError(f"no answer within {DEADLINE_SECONDS:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise PullError(f"{type(error).__name__}: {str(error)[:200]}") from error

    async def _send(self, request: PullRequest, url: str) -> Answer:
        parts = urlsplit(url)
        address = (await self._vetting(url))[0]
        literal = f"[{address}]" if address.version == 6 else str(address)
        port = f":{parts.port}" if parts.port else ""
        # The vetted address is connected to; the name is what the certificate must bear.
        pinned = urlunsplit((parts.scheme, f"{literal}{port}", parts.path, parts.query, ""))
        headers = {**request.headers, "Host": parts.netloc, "Accept-Encoding": "identity"}
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=DEADLINE_SECONDS) as client,
            client.stream(
                request.method,
                pinned,
                headers=headers,
                content=request.body,
                extensions={"sni_hostname": parts.hostname or ""},
            ) as response,
        ):
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise PullError(f"the answer is larger than {MAX_BYTES} bytes")
            _refuse(response)
            return Answer(response.status_code, bytes(body))

    def _replaced(self, url: str) -> str:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        return self._hosts.get(origin, origin) + url[len(origin) :]


def _refuse(response: httpx.Response) -> None:
    """Raises PullError for every answer but a success."""
    status = response.status_code
    if 200 <= status < 300:
        return
    stated = response.headers.get("Retry-After", "")
    retry = min(int(stated), 86_400) if stated.isascii() and stated.isdigit() and len(stated) < 9 else None
    why = "the credentials are refused" if status in (401, 403) else "the partner answers"
    raise PullError(f"{why}: HTTP {status}", retry)
