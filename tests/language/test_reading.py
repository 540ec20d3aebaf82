"""A text is read when it is accepted; no score is touched, and a classifier of the tenant replaces it."""

from __future__ import annotations

import httpx

from app.journal.rebuild import rebuild
from app.wiring import Services
from tests.builders import at, event, rating
from tests.conftest import Server, Tenant
from tests.journal.world import projections


async def test_a_text_is_read_beside_its_score_and_a_classifier_replaces_the_reading(
    client: httpx.AsyncClient, services: Services, server: Server, a_tenant: Tenant
) -> None:
    text = "Жахливо, ніхто не передзвонив"
    classified = {
        "event": "f1",
        "label": "negative",
        "confidence": 0.97,
        "model": "acme-3",
        "cause": "office.call",
    }
    facts = [
        # the classifier is faster than the source: its word waits for the answer
        event("feedback.classified", "k1", when=at(hours=1), data=classified),
        rating("f1", 10, text=text),
        event("review.published", "f2", data={"text": "Отличная работа", "lang": "ru-RU"}),
        rating("f3", 5),
    ]
    await client.post("/v1/events", json=facts)
    items = (await client.get("/v1/feedback")).json()["items"]
    found = {item["text"]: item for item in items}
    assert (found[text]["class"], found[text]["lang"]) == ("positive", "uk")
    assert found[text]["reading"]["sentiment"] == {
        "label": "negative", "confidence": 0.97, "method": "acme-3", "version": None,
    }  # fmt: skip
    assert found[text]["reading"]["hints"]["cause"] == "office_process.no_status_info"
    assert found[text]["cause"] == "office.call"
    # a ten whose words are bad: the score counts, and the words are pointed at
    assert {name: item["text_disagrees"] for name, item in found.items()} == {
        text: True,
        "Отличная работа": False,
        None: False,
    }
    review = found["Отличная работа"]
    assert (review["lang"], review["class"]) == ("ru-RU", "unknown")
    sentiment = review["reading"]["sentiment"]
    assert (sentiment["label"], sentiment["method"], sentiment["version"]) == ("positive", "lexicon_ru", "2")
    assert found[None]["reading"] is None

    back = event("event.retracted", "x", data={"event": "k1"})
    await client.post("/v1/events", json=back)
    items = (await client.get("/v1/feedback")).json()["items"]
    [own] = [item for item in items if item["text"] == text]
    assert own["reading"]["sentiment"]["method"] == "lexicon_uk"
    assert own["cause"] is None

    before = await projections(services.journal, server, a_tenant.tenant_id)
    await rebuild(services.journal, a_tenant.tenant_id)
    assert await projections(services.journal, server, a_tenant.tenant_id) == before
