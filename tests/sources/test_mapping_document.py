"""A mapping document is refused when it is saved, with place, reason and cure: never row by row later."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from app.sources.errors import MappingError
from app.sources.mapping import compile_mapping

DOCUMENT: dict[str, Any] = {
    "mapping": 1,
    "id": "kiosk",
    "format": "csv",
    "zone": "Europe/Kyiv",
    "events": [
        {
            "type": "feedback.received",
            "occurred_at": {"column": "Date", "format": "%d.%m.%Y %H:%M"},
            "data": {
                "channel": {"value": "kiosk"},
                "answers": [
                    {
                        "question": {"value": "csat"},
                        "scale": {"value": "csat_1_5"},
                        "value": {"column": "Score"},
                    }
                ],
                "customer": {"type": {"value": "phone"}, "value": {"column": "Phone"}},
                "attributes": {"branch": {"column": "Branch"}},
            },
        }
    ],
}


def _with(path: str, value: Any) -> dict[str, Any]:
    """The document with the value at a JSON pointer replaced (or removed by `...`)."""
    document = deepcopy(DOCUMENT)
    *parents, last = path.split("/")[1:]
    place: Any = document
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


def test_the_document_as_it_stands_is_good() -> None:
    mapping = compile_mapping(DOCUMENT)
    assert mapping.id == "kiosk"
    assert mapping.columns() == {"Date", "Score", "Phone", "Branch"}


EVENT = "/events/0"
DATA = f"{EVENT}/data"


@pytest.mark.parametrize(
    ("path", "value", "reason", "pointer"),
    [
        ("/mapping", 2, "unknown_version", "/mapping"),
        ("/mapping", ..., "missing_key", ""),
        ("/id", "", "wrong_type", "/id"),
        ("/format", "xml", "unknown_word", "/format"),
        ("/zone", "Europe/Kiev City", "unknown_zone", "/zone"),
        ("/zones", "Europe/Kyiv", "unknown_key", "/zones"),
        ("/csv", {"delimiter": ";;"}, "wrong_type", "/csv/delimiter"),
        ("/csv", {"encoding": "base64"}, "unknown_encoding", "/csv/encoding"),
        ("/items", "events[]", "unknown_key", "/items"),
        ("/absent", [None], "wrong_type", "/absent/0"),
        ("/events", [], "wrong_size", "/events"),
        ("/events", {}, "wrong_type", "/events"),
        ("/events", DOCUMENT["events"] * 2, "duplicate_name", "/events/1"),
        (f"{EVENT}/type", "feedback.recieved", "unknown_word", f"{EVENT}/type"),
        (f"{EVENT}/type", "sla.breached", "unknown_word", f"{EVENT}/type"),
        (f"{EVENT}/occurred_at", ..., "missing_key", EVENT),
        (
            f"{EVENT}/occurred_at",
            {"column": "Date", "format": "dd.mm.yyyy"},
            "unknown_word",
            f"{EVENT}/occurred_at/format",
        ),
        (
            f"{EVENT}/occurred_at",
            {"column": "Date", "zone": "Kyiv"},
            "unknown_zone",
            f"{EVENT}/occurred_at/zone",
        ),
        (f"{EVENT}/occurred_at", {"received_at": True}, "unknown_key", f"{EVENT}/occurred_at/received_at"),
        (
            f"{EVENT}/occurred_at",
            {"column": "Date", "precision": "hour"},
            "unknown_word",
            f"{EVENT}/occurred_at/precision",
        ),
        (f"{EVENT}/subject", {"kind": "complaint"}, "unknown_word", f"{EVENT}/subject/kind"),
        (f"{EVENT}/version", {"column": "Version"}, "missing_key", EVENT),
        (f"{EVENT}/when", "score >", "bad_expression", f"{EVENT}/when"),
        (f"{EVENT}/when", "scream(score)", "bad_expression", f"{EVENT}/when"),
        (f"{EVENT}/when", "(" * 900, "bad_expression", f"{EVENT}/when"),
        (f"{EVENT}/when", "a" * 2000, "bad_expression", f"{EVENT}/when"),
        (f"{DATA}/chanel", {"value": "kiosk"}, "unknown_key", f"{DATA}/chanel"),
        (f"{DATA}/channel", {"value": "kiosque"}, "unknown_word", f"{DATA}/channel/value"),
        (f"{DATA}/channel", "kiosk", "constant_as_path", f"{DATA}/channel"),
        (
            f"{DATA}/channel",
            {"column": "C", "map": {"K": "kiosque"}},
            "unknown_word",
            f"{DATA}/channel/map/K",
        ),
        (f"{DATA}/channel", {"column": "C", "default": "all"}, "unknown_word", f"{DATA}/channel/default"),
        (f"{DATA}/channel", {"column": "C", "path": "C"}, "place_unclear", f"{DATA}/channel"),
        (f"{DATA}/channel", {"map": {}}, "place_unclear", f"{DATA}/channel"),
        (f"{DATA}/channel", {"column": "C", "cast": "text"}, "unknown_key", f"{DATA}/channel/cast"),
        (f"{DATA}/channel", {"value": ["kiosk"]}, "wrong_type", f"{DATA}/channel/value"),
        (f"{DATA}/is_complaint", {"value": "perhaps"}, "wrong_type", f"{DATA}/is_complaint/value"),
        (f"{DATA}/answers", "x", "wrong_type", f"{DATA}/answers"),
        (f"{DATA}/answers", {"value": "x"}, "missing_key", f"{DATA}/answers"),
        (f"{DATA}/answers", {"each": "a[", "value": "v"}, "bad_expression", f"{DATA}/answers/each"),
        (f"{DATA}/answers", {"each": "a", "valeu": "v"}, "unknown_key", f"{DATA}/answers/valeu"),
        (f"{DATA}/answers", [{"question": {"value": "q"}}], "missing_key", f"{DATA}/answers/0"),
        (f"{DATA}/answers/0/score", {"value": "x"}, "unknown_key", f"{DATA}/answers/0/score"),
        (f"{DATA}/customer", {"type": {"value": "phone"}}, "missing_key", f"{DATA}/customer"),
        (f"{DATA}/attributes/bad name", {"column": "x"}, "bad_name", f"{DATA}/attributes/bad name"),
        (
            f"{DATA}/attributes/branch",
            {"column": "x", "deafult": 1},
            "unknown_key",
            f"{DATA}/attributes/branch/deafult",
        ),
        (
            f"{DATA}/attributes/branch",
            {"column": "x", "cast": "int"},
            "unknown_word",
            f"{DATA}/attributes/branch/cast",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(path: str, value: Any, reason: str, pointer: str) -> None:
    with pytest.raises(MappingError) as caught:
        compile_mapping(_with(path, value))
    assert (caught.value.reason, caught.value.pointer) == (reason, pointer)
    assert caught.value.cure


def test_a_misspelt_key_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(MappingError) as caught:
        compile_mapping(_with(f"{DATA}/chanel", {"value": "kiosk"}))
    assert caught.value.cure == "Did you mean 'channel'?"


@pytest.mark.parametrize("document", [None, [], "mapping", 1])
def test_what_is_no_object_is_no_mapping(document: Any) -> None:
    with pytest.raises(MappingError) as caught:
        compile_mapping(document)
    assert (caught.value.reason, caught.value.pointer) == ("wrong_type", "")


def test_columns_are_found_inside_expressions_and_optional_ones_left_out() -> None:
    document = _with(f"{EVENT}/when", "\"Closed Date\" != '' && contains(Status, 'x')")
    document["optional"] = ["Branch"]
    assert compile_mapping(document).columns() == {"Date", "Score", "Phone", "Closed Date", "Status"}
