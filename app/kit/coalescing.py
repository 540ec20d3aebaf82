"""Many small questions become few: while one round is on its way, the next one gathers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar
from uuid import UUID

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")

Round = Callable[[UUID, Sequence[Asked]], Awaitable[Sequence["Answered | Exception"]]]


class Coalescer(Generic[Asked, Answered]):
    """Rounds of one group (a tenant) follow each other; those of two run side by side.

    `round_` answers in order; an exception among its answers is raised to who asked, one that it raises
    itself to everybody of the round. `weigh` and `heaviest` bound what one round carries.
    """

    def __init__(
        self,
        round_: Round[Asked, Answered],
        *,
        most: int,
        weigh: Callable[[Asked], int] = lambda _: 0,
        heaviest: int = 0,
    ) -> None:
        self._round = round_
        self._most = most
        self._weigh = weigh
        self._heaviest = heaviest
        self._waiting: dict[UUID, deque[tuple[Asked, asyncio.Future[Answered]]]] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    async def ask(self, group: UUID, asked: Asked) -> Answered:
        """The answer to one question, when its round comes back."""
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(group, deque()).append((asked, answer))
        if group not in self._tasks:
            self._tasks[group] = asyncio.create_task(self._go(group), name=f"coalescer:{group}")
        return await answer

    async def _go(self, group: UUID) -> None:
        waiting = self._waiting[group]
        try:
            while waiting:
                await self._settle(group, self._next(waiting))
        finally:
            del self._tasks[group], self._waiting[group]

    def _next(
        self, waiting: deque[tuple[Asked, asyncio.Future[Answered]]]
    ) -> list[tuple[Asked, asyncio.Future[Answered]]]:
        taken = [waiting.popleft()]
        weight = self._weigh(taken[0][0])
        while waiting and len(taken) < self._most:
            weight += self._weigh(waiting[0][0])
            if weight > self._heaviest > 0:
                break
            taken.append(waiting.popleft())
        return taken

    async def _settle(self, group: UUID, taken: list[tuple[Asked, asyncio.Future[Answered]]]) -> None:
        answers: Sequence[Answered | Exception]
        try:
            answers = await self._round(group, [asked for asked, _ in taken])
        except Exception as error:  # noqa: BLE001 - whatever it was, each who asked must hear it
            answers = [error] * len(taken)
        for (_, future), answer in zip(taken, answers, strict=True):
            if future.done():
                continue  # who asked has gone
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
