"""One import from the first row to the last: map, post, account. Running it again is resuming."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.importer.batches import Batch, RowMapper, batches
from app.importer.files import RowFile
from app.importer.ledger import Ledger
from app.importer.poster import Poster, ServiceError
from app.importer.report import Report

BATCH_EVENTS = 1_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is."""

    position: int
    rows: int
    rejected: int


OnProgress = Callable[[Progress], None]


async def run_import(
    rows: RowFile,
    mapper: RowMapper,
    poster: Poster,
    report: Report,
    *,
    progress: OnProgress = lambda _: None,
    batch_events: int = BATCH_EVENTS,
) -> Ledger:
    """Import every row of the file.

    Raises ServiceError when not even the first batch could be posted: then nothing has started. When the
    service goes away later, the ledger says where the import stopped; what is stored stays stored.
    """
    ledger = Ledger()
    started = False
    for batch in batches(rows.rows, mapper, batch_events):
        try:
            await _settle(batch, poster, ledger, report)
        except ServiceError as error:
            if not started:
                raise
            ledger.stopped = f"at row {batch.rows[0].number}: {error} ({error.reason}). {error.cure}"
            break
        started = True
        progress(Progress(rows.position, ledger.rows.total(), ledger.rows["rejected"]))
    return ledger


async def _settle(batch: Batch, poster: Poster, ledger: Ledger, report: Report) -> None:
    outcomes = iter(await poster.post(batch.lines()))
    for row in batch.rows:
        report.write(ledger.settle(row, [next(outcomes) for _ in row.lines]))
