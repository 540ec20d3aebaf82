"""The guide for those who connect a source: its example is true, and what it names exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from app.configuration.mappings.gallery import list_mappings
from app.ingest.reading import validated
from app.sources.base import SourceContext, SourceDefaults, adapt
from app.sources.errors import names
from app.sources.mapping import MappingAdapter, compile_mapping
from app.sources.mapping.functions import known_functions
from app.sources.pulls import RECIPES
from app.sources.questions import QuestionRule
from app.sources.signatures import FAMILIES
from tests.sources.conftest import RECEIVED_AT

GUIDE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")


def block(name: str) -> Any:
    found = re.search(rf"```json {name}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_example_of_the_guide_reads_its_payload() -> None:
    questions = {"queue": QuestionRule(scale="csat_1_5", measure="csat")}
    context = SourceContext("shop", RECEIVED_AT, defaults=SourceDefaults(questions=questions))
    found = adapt(MappingAdapter(compile_mapping(block("mapping"))), block("payload"), context)
    assert found.refusals == ()
    (event,) = (validated(one) for one in found.events)
    assert (event.id, event.occurred_at.isoformat()) == ("response:9124", "2026-01-09T06:15:00+00:00")
    assert [answer["question"] for answer in event.data["answers"]] == ["nps", "queue"]
    assert event.data["attributes"] == {"answer_visit": "first, alone"}
    assert (event.data["location"], event.data["text"]) == ("kyiv-1", "Waited forty minutes")


OWN = names(
    "text lower upper trim split replace number_in count plain from_json entries get find find_all "
    "payload header"
)


def test_every_function_of_ours_stands_in_the_guide() -> None:
    assert set(OWN) <= known_functions()
    assert [name for name in OWN if f"`{name}(" not in GUIDE] == []


def test_what_the_guide_counts_up_is_what_there_is() -> None:
    asked = GUIDE.split("`pull` of the source: ")[1].split(" |")[0]
    assert len(asked.split(", ")) == len(RECIPES)
    ready = GUIDE.split("`GET /v1/mappings` (")[1].split(")")[0]
    assert len(ready.replace("\n", " ").split(", ")) == len(list_mappings())
    for family in (
        "hmac_hex_body",
        "hmac_base64_body",
        "standard_webhooks",
        "shopify",
        "meta",
        "secret_header",
    ):
        assert family in FAMILIES and f"`{family}`" in GUIDE
