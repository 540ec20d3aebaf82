"""Replay, dismiss and reprocess: each payload is read again and settled on its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.db.engine import Database
from app.domain.errors import ConflictError, InvalidError, NotFoundError
from app.ingest.adapting import ConfiguredSource, get_source, item_errors, summary_of
from app.ingest.payloads import repository
from app.ingest.payloads.replacing import Change
from app.ingest.payloads.rereading import POISON, reread
from app.ingest.payloads.schemas import PayloadReplayIn, ReprocessIn, ReprocessOut, Reread
from app.ingest.service import Ingest
from app.kit import json
from app.kit.crypto import Sealer
from app.kit.cursors import CursorError, decode_cursor, encode_cursor
from app.kit.ids import new_id, public_id


@dataclass(frozen=True, slots=True)
class Rereader:
    """The parts that reading again takes, for one tenant at one time."""

    database: Database
    sealer: Sealer
    ingest: Ingest
    tenant_id: UUID
    now: datetime

    async def replay(self, raw_id: UUID, wanted: PayloadReplayIn) -> Reread:
        """Read one payload again, as it came or mended. Raises NotFoundError, InvalidError."""
        async with self.database.tenant(self.tenant_id) as connection:
            row = await repository.get_payload(connection, self.tenant_id, raw_id)
        return await self._again(
            await self._source(row.source, row.reason),
            row,
            mended=_mended(wanted),
            announce=wanted.announce,
            dry_run=wanted.dry_run,
            run=new_id().hex[-12:],
        )

    async def dismiss(self, raw_id: UUID, reason: str) -> None:
        """Give a payload up: it stays, and is read again no more. Raises ConflictError."""
        async with self.database.tenant(self.tenant_id) as connection:
            row = await repository.get_payload(connection, self.tenant_id, raw_id)
            if row.state == "adapted":
                raise ConflictError(
                    "not_quarantined",
                    "events of the journal stand for this payload",
                    cure="retract the events, if they were never true",
                )
            values = {"state": "dismissed", "detail": reason, "settled_at": self.now}
            await repository.settle_payload(connection, self.tenant_id, (row.received_at, row.raw_id), values)

    async def reprocess(self, wanted: ReprocessIn) -> ReprocessOut:
        """Read a source's payloads again, oldest first. Raises NotFoundError, InvalidError."""
        source = await self._source(wanted.source, None)
        filters = wanted.model_dump(include={"source", "state", "reason", "since", "until"})
        async with self.database.tenant(self.tenant_id) as connection:
            rows = await repository.list_payloads(
                connection,
                self.tenant_id,
                filters,
                after=read_place(wanted.cursor),
                limit=wanted.limit + 1,
                oldest_first=True,
                whole=True,
            )
        page, run = rows[: wanted.limit], new_id().hex[-12:]
        read = [
            await self._again(
                source, row, mended=None, announce=wanted.announce, dry_run=wanted.dry_run, run=run
            )
            for row in page
            if row.state != "dismissed" or wanted.state == "dismissed"
        ]
        return ReprocessOut(
            read=len(read),
            added=sum(one.added for one in read),
            unchanged=sum(one.unchanged for one in read),
            retracted=sum(one.retracted for one in read),
            quarantined=sum(bool(one.errors) for one in read),
            dry_run=wanted.dry_run,
            items=[one for one in read if one.added or one.retracted or one.errors],
            next_cursor=place_cursor(page[-1]) if len(rows) > wanted.limit else None,
        )

    async def _source(self, key: str, reason: str | None) -> ConfiguredSource:
        try:
            return await get_source(self.database, self.sealer, self.tenant_id, key, self.now)
        except NotFoundError as error:
            if reason == POISON and error.reason == "no_adapter":
                return ConfiguredSource.without_adapter(self.tenant_id, key, self.now)
            raise

    async def _again(
        self,
        source: ConfiguredSource,
        row: Any,
        *,
        mended: bytes | None,
        announce: bool,
        dry_run: bool,
        run: str,
    ) -> Reread:
        body = mended if mended is not None else row.mended_body or row.body
        result = await reread(
            self.ingest, source, row, bytes(body), run=run, now=self.now, announce=announce, dry_run=dry_run
        )
        if not dry_run:
            first = result.refused[0] if result.refused else None
            values = {
                "state": result.state,
                # an event of ours that is still refused stays what it is: its body is no payload
                "reason": (POISON if row.reason == POISON else first.reason) if first else None,
                "detail": summary_of(result.refused),
                "event_ids": list(result.change.standing),
                "retracted_ids": _retracted(row, result.change),
                "mapping_version": source.mapping_version,
                "mended_body": mended if mended is not None else row.mended_body,
                "settled_at": self.now,
            }
            async with self.database.tenant(self.tenant_id) as connection:
                place = (row.received_at, row.raw_id)
                await repository.settle_payload(connection, self.tenant_id, place, values)
        return Reread(
            id=public_id("raw", row.raw_id),
            state=result.state,
            added=result.added,
            unchanged=result.change.unchanged,
            retracted=result.retracted,
            errors=item_errors(result.refused),
        )


def _retracted(row: Any, change: Change) -> list[str]:
    gone = [event.data["event"] for event in change.retractions]
    return [one for one in dict.fromkeys([*row.retracted_ids, *gone]) if one not in change.standing]


def _mended(wanted: PayloadReplayIn) -> bytes | None:
    if wanted.payload is not None and wanted.text is not None:
        raise InvalidError(
            "body_unclear", "`payload` and `text` are both given", pointer="/text", cure="send one of them"
        )
    if wanted.text is not None:
        return wanted.text.encode()
    return None if wanted.payload is None else json.dumps(wanted.payload)


def place_cursor(row: Any) -> str:
    """The cursor after this payload."""
    return encode_cursor(row.received_at.astimezone(UTC).isoformat(), row.raw_id.hex)


def read_place(cursor: str | None) -> repository.Place | None:
    """Where a page begins. Raises InvalidError `invalid_cursor`."""
    if cursor is None:
        return None
    try:
        at, raw_id = decode_cursor(cursor, 2)
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise CursorError("a time without a zone")
        return moment, UUID(raw_id)
    except (CursorError, ValueError, TypeError, AttributeError):
        raise InvalidError(
            "invalid_cursor",
            "this is no cursor of this list",
            pointer="query:cursor",
            cure="take `next_cursor` of the page before, or leave it out to begin anew",
        ) from None
