"""Asterisk: channel event lines (CEL) as CSV without a header, dropped as a file or posted as text.

A call is the lines of one linked id (of one channel where the file has none). It ended when its last line
ends, once: at LINKEDID_END, or at the last HANGUP of the lines at hand. Times are local and name no zone:
the source has one or the lines go to quarantine. A call is told by its first caller.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from app.domain.events import Event
from app.sources.base import Item, SourceContext
from app.sources.calls import ended
from app.sources.errors import PayloadError, UnknownEventError, names
from app.sources.reading import Reader
from app.sources.times import Moment, epoch_seconds, iso_time

MAX_LINES = 100_000

_COLUMNS: tuple[str, ...] = (
    "eventtype",
    "eventtime",
    "cidname",
    "cidnum",
    "ani",
    "rdnis",
    "dnid",
    "exten",
    "context",
)
_COLUMNS += ("channame", "appname", "appdata", "amaflags", "accountcode", "uniqueid", "linkedid", "peer")
_UNIQUE = re.compile(r"(?:[A-Za-z0-9_-]+-)?[0-9]{9,11}\.[0-9]+")
_KNOWN = names(
    "CHAN_START CHAN_END ANSWER HANGUP BRIDGE_ENTER BRIDGE_EXIT BRIDGE_START BRIDGE_END BRIDGE_UPDATE "
    "CONF_ENTER CONF_EXIT CONF_START CONF_END PARK_START PARK_END TRANSFER BLINDTRANSFER ATTENDEDTRANSFER "
    "3WAY_START 3WAY_END HOOKFLASH USER_DEFINED USER_EVENT APP_START APP_END PICKUP FORWARD LINKEDID_END "
    "LOCAL_OPTIMIZE LOCAL_OPTIMIZE_BEGIN STREAM_BEGIN STREAM_END DTMF CONF_START TEXT"
)


class AsteriskAdapter:
    """Adapter of Asterisk's channel event logging."""

    name = "asterisk"

    def items(self, payload: object) -> Sequence[Item]:
        """One item per call: its lines in the order of the file. Raises PayloadError for what is no CSV."""
        calls: dict[str, list[dict[str, str]]] = {}
        places: dict[str, str] = {}
        for number, row in enumerate(_rows(payload), 1):
            known = dict(zip(_COLUMNS, row, strict=False))
            linked = known.get("linkedid", "")
            call = linked if _UNIQUE.fullmatch(linked) else known.get("uniqueid", "").strip()
            calls.setdefault(call or f"line-{number}", []).append(known)
            places.setdefault(call or f"line-{number}", f"/{number}")
        return [Item(places[call], {"call": call, "lines": lines}) for call, lines in calls.items()]

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The end of one call, if the lines tell it. Raises PayloadError, UnknownEventError."""
        call = Reader.of(item.value, item.pointer)
        lines = call.objects("lines")
        for line in lines:
            if _kind(line) not in _KNOWN:
                raise UnknownEventError("Asterisk", line.text("eventtype"), pointer=item.pointer)
        answered = any(_kind(line) in ("ANSWER", "BRIDGE_ENTER", "BRIDGE_START") for line in lines)
        ends = [line for line in lines if _kind(line) == "LINKEDID_END"]
        ends = ends or [line for line in lines if _kind(line) == "HANGUP"]
        if not ends:
            return []
        first = lines[0]
        moment = _moment(ends[-1], context, item.pointer)
        attributes: dict[str, object] = {"answered": answered}
        caller = first.text("cidnum")
        return [
            ended(call.required_identifier("call"), moment, context, customer=caller, attributes=attributes)
        ]


def _rows(payload: object) -> list[list[str]]:
    if not isinstance(payload, str):
        raise PayloadError(
            "wrong_type", "CSV lines belong here", pointer="", cure="Send text/csv, one channel event a line."
        )
    lines = [line.partition(";;;")[0].strip() for line in payload.splitlines()]
    lines = [line for line in lines if line]
    if len(lines) > MAX_LINES:
        raise PayloadError("too_many_lines", f"more than {MAX_LINES} lines", cure="Send fewer at once.")
    try:
        return [[cell.strip().strip('"') for cell in row] for row in csv.reader(lines, skipinitialspace=True)]
    except csv.Error as error:
        raise PayloadError("malformed_csv", str(error), cure="Send CSV.") from error


def _kind(line: Reader) -> str:
    return (line.text("eventtype") or "").upper().removeprefix("EV_")


def _moment(line: Reader, context: SourceContext, pointer: str) -> Moment:
    written = line.text("eventtime") or ""
    if written.replace(".", "").isdigit():
        return epoch_seconds(written, pointer)
    return iso_time(written, context.zone, pointer)
