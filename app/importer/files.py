"""A CSV or NDJSON file as numbered rows; a bad row is a value, so that the rows behind it are still read."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, TextIO

from app.domain.errors import InvalidError
from app.kit import json
from app.sources.errors import PayloadError
from app.sources.mapping import CompiledMapping

_CHUNK = 1 << 20
LONGEST_FIELD = 1 << 20


class FileError(InvalidError):
    """The file as a whole cannot be imported with this mapping: nothing of it was read."""


@dataclass(frozen=True, slots=True)
class NumberedRow:
    """A row and its number: the n-th data row of a CSV file, the n-th line of an NDJSON file (from 1)."""

    number: int
    value: object | PayloadError


@dataclass(slots=True)
class RowFile:
    """An open file: its rows, its identity (SHA-256, hex) and how far it has been read."""

    rows: Iterator[NumberedRow]
    identity: str
    size: int
    raw: BinaryIO

    @property
    def position(self) -> int:
        """Bytes read so far (a little ahead of the rows)."""
        return self.raw.tell()


@contextmanager
def open_rows(path: Path, mapping: CompiledMapping) -> Iterator[RowFile]:
    """The rows of a file. Raises FileError when it cannot be opened or was not written for this mapping."""
    if mapping.format == "json":
        raise FileError(
            "wrong_format",
            f"the mapping {mapping.id!r} reads webhook payloads",
            pointer="/format",
            cure='Use a mapping whose format is "csv" or "ndjson".',
        )
    try:
        raw = path.open("rb")
    except OSError as error:
        raise FileError("unreadable_file", str(error), cure="Give the path of a readable file.") from error
    with raw:
        identity, size = _identify(raw)
        if mapping.format == "ndjson":
            yield RowFile(_ndjson_rows(raw), identity, size, raw)
            return
        # Bytes that are not of the encoding become lone surrogates: they cost their row, not the file.
        encoding = mapping.dialect.encoding
        with io.TextIOWrapper(raw, encoding=encoding, errors="surrogateescape", newline="") as text:
            yield RowFile(_csv_rows(text, mapping), identity, size, raw)


def _ndjson_rows(raw: BinaryIO) -> Iterator[NumberedRow]:
    for number, line in enumerate(raw, start=1):
        text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
        if text:
            yield NumberedRow(number, _read_line(text, number))


def _csv_rows(text: TextIO, mapping: CompiledMapping) -> Iterator[NumberedRow]:
    """Raises FileError at once when the header does not fit; the rows come lazily."""
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(text, delimiter=mapping.dialect.delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
    except (csv.Error, UnicodeError) as error:
        detail = str(error)
        raise FileError("unreadable_header", detail, cure="Check csv.encoding and csv.delimiter.") from error
    _check_header(header, mapping)
    return _data_rows(reader, header)


def _data_rows(reader: Iterator[list[str]], header: list[str]) -> Iterator[NumberedRow]:
    number = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, UnicodeError) as error:
            number += 1
            yield NumberedRow(number, _bad_row("unreadable_row", str(error), number))
            if isinstance(error, UnicodeError):
                return
            continue
        if cells:
            number += 1
            yield NumberedRow(number, _named(cells, header, number))


def _named(cells: list[str], header: list[str], number: int) -> dict[str, str] | PayloadError:
    if len(cells) != len(header):
        detail = f"{len(cells)} cells where the header has {len(header)}"
        return _bad_row("ragged_row", detail, number)
    if not all(cell.isascii() or _is_text(cell) for cell in cells):
        return _bad_row("wrong_encoding", "bytes that are not of the file's encoding", number)
    return dict(zip(header, cells, strict=True))


def _read_line(text: bytes, number: int) -> object | PayloadError:
    try:
        value: object = json.parse_untrusted(text)
    except json.JsonError as error:
        return _bad_row(error.reason, str(error), number)
    return value


def _bad_row(reason: str, detail: str, number: int) -> PayloadError:
    return PayloadError(reason, detail, pointer=f"/{number}", cure="Mend the row and import the file again.")


def _check_header(header: list[str], mapping: CompiledMapping) -> None:
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise FileError("duplicate_column", f"two columns are named {twice[0]!r}", cure="Rename one of them.")
    missing = sorted(mapping.columns() - set(header))
    if missing:
        near = get_close_matches(missing[0], header, n=1)
        hint = f"the nearest is {near[0]!r}; " if near else ""
        raise FileError(
            "missing_column",
            f"the file has no column {', '.join(repr(name) for name in missing)}",
            cure=f"{hint}mend the mapping, list the column in its `optional`, or set csv.delimiter.",
        )


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _identify(raw: BinaryIO) -> tuple[str, int]:
    """SHA-256 (hex) of the content, and its length."""
    digest, size = hashlib.sha256(), 0
    while chunk := raw.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    raw.seek(0)
    return digest.hexdigest(), size
