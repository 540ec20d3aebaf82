"""The guard at the door: resolves a target once and lets nobody connect to an address it did not vet."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from ipaddress import ip_address

from app.domain.egress import Address, EgressRules
from app.domain.target import Target, parse_target, vet

Lookup = Callable[[str], Awaitable[tuple[Address, ...]]]

CACHE_SECONDS = 5.0
CHECK_SECONDS = 3.0
MAX_CACHED_NAMES = 1_024
LOOKUP_THREADS = 16


class UnresolvedError(Exception):
    """The name of a target has no address, or no name server said so."""


class EgressGuard:
    """The same guard at creation, test and delivery.

    Look-ups run in threads of their own (a silent name server must not starve the process's other
    work), are shared by all who wait for the same name, and are remembered for a few seconds.
    """

    def __init__(self, rules: EgressRules, lookup: Lookup | None = None) -> None:
        self.rules = rules
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="resolve")
        self._lookup = lookup or self._system_lookup
        self._pending: dict[str, asyncio.Task[tuple[Address, ...]]] = {}
        self._known: dict[str, tuple[float, tuple[Address, ...]]] = {}
        self._parse = lru_cache(maxsize=1_024)(parse_target)
        self._vet = lru_cache(maxsize=1_024)(vet)

    def close(self) -> None:
        """Let the look-up threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def parse(self, url: str) -> Target:
        """Take a URL apart by the rules. Raises InvalidError."""
        return self._parse(url, self.rules)

    async def vetted(self, target: Target) -> tuple[Address, ...]:
        """The addresses that may be connected to. Raises InvalidError, UnresolvedError."""
        addresses = (target.literal,) if target.literal is not None else await self._resolve(target.host)
        self._vet(target, addresses, self.rules)
        return addresses

    async def vetted_url(self, url: str) -> tuple[Address, ...]:
        """The same for a URL as it is written. Raises InvalidError, OSError."""
        try:
            return await self.vetted(self.parse(url))
        except UnresolvedError as error:
            raise OSError(str(error)) from error

    async def check(self, url: str) -> None:
        """Refuse a URL that no delivery would be made to, as it is saved. Raises InvalidError.

        A name that does not resolve (yet) is let through: delivery judges it again each time.
        """
        target = self.parse(url)
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self.vetted(target)
        except (UnresolvedError, TimeoutError):
            return

    async def _resolve(self, host: str) -> tuple[Address, ...]:
        known = self._known.get(host)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        task = self._pending.get(host)
        if task is None:
            task = self._pending[host] = asyncio.ensure_future(self._look_up(host))
            task.add_done_callback(lambda done: self._forget(host, done))
        return await asyncio.shield(task)

    def _forget(self, host: str, done: asyncio.Task[tuple[Address, ...]]) -> None:
        self._pending.pop(host, None)
        if not done.cancelled():
            done.exception()  # seen, even when everybody who waited has given up

    async def _look_up(self, host: str) -> tuple[Address, ...]:
        addresses = await self._lookup(host)
        if not addresses:
            raise UnresolvedError(f"{host} has no address")
        if len(self._known) >= MAX_CACHED_NAMES:
            self._known.clear()
        self._known[host] = (time.monotonic() + CACHE_SECONDS, addresses)
        return addresses

    async def _system_lookup(self, host: str) -> tuple[Address, ...]:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, _getaddrinfo, host)
        except (OSError, UnicodeError) as error:
            raise UnresolvedError(f"{host}: {error}") from error


def _getaddrinfo(host: str) -> tuple[Address, ...]:
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(answer[4][0]) for answer in answers))
