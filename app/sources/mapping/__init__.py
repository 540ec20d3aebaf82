"""Mapping documents v1: a source without an adapter is described, not programmed.

    {
      "mapping": 1, "id": "store-kiosk", "format": "csv",          csv | ndjson | json
      "csv": {"delimiter": ";", "encoding": "utf-8"},              only for csv, both optional
      "zone": "Europe/Kyiv",                                       reads times written without one
      "absent": ["", "N/A"],                                       texts that mean "nothing here"
      "optional": ["Channel"],                                     columns that a file may lack
      "embedded": ["rawRequest"],                                  only for json: keys whose text is JSON
      "items": "events[]",                                         only for json: one payload, many items
      "row_id": {"column": "Ticket"},                              else file hash + row number
      "events": [{
        "name": "opened",                                          part of the id; the type by default
        "type": "feedback.received",
        "when": "score != ''",                                     JMESPath, or {"column": name}: not empty
        "occurred_at": {"column": "Date", "format": "%d.%m.%Y %H:%M"},
        "subject": {"kind": "case"},                               ref: the row's identity by default
        "object": VALUE, "version": VALUE or TIME, "id": VALUE,
        "data": {"channel": VALUE, "customer": {"type": VALUE, "value": VALUE},
                 "answers": [{"question": VALUE, "scale": VALUE, "value": VALUE}],
                 "attributes": {"branch": VALUE}}
      }]
    }

VALUE is a JMESPath expression as text, or one of {"path": expression}, {"column": name}, {"value":
constant}, with optional "map" (raw text -> word, null for nothing), "default" and, in attributes, "cast"
(text, number, boolean). TIME is a VALUE's place with "format" (iso, epoch_s, epoch_ms, rfc_2822, a
strptime pattern, or a list of them tried in turn), "zone" and "precision": "day"; {"received_at": true}
where a live payload tells no time at all. `answers` may also be {"each": expression, "question": VALUE,
"scale": VALUE, "value": VALUE, ...}: one answer per element that the expression finds, its VALUEs read in
the element; "form" beside `data` reads the fields of a form by the source's questions (form_fields.py). A
posted form is an object of texts, `a[b]=1` nested. What expressions may call stands in functions.py;
docs/sources.md explains all of it to those who write mappings.
"""

from app.sources.mapping.adapter import MappingAdapter
from app.sources.mapping.compiled import CompiledMapping, compile_mapping

__all__ = ["CompiledMapping", "MappingAdapter", "compile_mapping"]
