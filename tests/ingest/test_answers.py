"""What an event says: scores on their scales, several answers, silence, volumes, subjects, nouns."""

from __future__ import annotations

import httpx

from tests.builders import at, error_of, event, query, rating, results_of, value_of
from tests.conftest import Server


async def test_a_score_that_its_scale_does_not_hold_is_refused_at_the_score(
    client: httpx.AsyncClient,
) -> None:
    bad = [11, -1, 9.5, "nine", "NaN", "1e400", "9" * 50, "１０", True, [9], {"v": 9}]
    answer = await client.post("/v1/events", json=[rating(f"a{n}", value) for n, value in enumerate(bad)])
    assert results_of(answer) == ["rejected"] * len(bad)
    for n, value in enumerate(bad):
        assert error_of(answer, n)["pointer"] == "/data/value", (value, error_of(answer, n))


async def test_a_scale_is_never_guessed(client: httpx.AsyncClient) -> None:
    unknown = rating("a1", 9, scale="nps_0_11")
    missing = rating("a2", 9, question="never seen")
    del missing["data"]["scale"]
    answer = await client.post("/v1/events", json=[unknown, missing])
    assert results_of(answer) == ["rejected", "rejected"]
    assert (error_of(answer, 0)["code"], error_of(answer, 0)["pointer"]) == ("unknown_scale", "/data/scale")
    assert "nps_0_10" in error_of(answer, 0)["cure"]
    assert (error_of(answer, 1)["code"], error_of(answer, 1)["pointer"]) == ("scale_missing", "/data/scale")


async def test_a_known_question_lends_its_scale_and_refuses_another(client: httpx.AsyncClient) -> None:
    await client.post("/v1/events", json=rating("a1", 5, scale="csat_1_5", question="after call"))
    bare = rating("a2", 4, question="after call")
    del bare["data"]["scale"]
    assert (await client.post("/v1/events", json=bare)).status_code == 201
    other = await client.post("/v1/events", json=[rating("a3", 9, question="after call")])
    assert error_of(other)["code"] == "scale_conflict"


async def test_several_answers_of_one_event_are_several_rows(
    client: httpx.AsyncClient, server: Server
) -> None:
    answers = [
        {"question": "nps", "scale": "nps_0_10", "value": 3},
        {"question": "csat", "scale": "csat_1_5", "value": 5, "measure": "staff"},
        {"question": "ces", "scale": "ces2_1_7", "value": "7"},
    ]
    assert (
        await client.post("/v1/events", json=event("feedback.received", "s1", data={"answers": answers}))
    ).is_success
    rows = await query(
        server, "SELECT question, value, class, measure, feedback_id FROM feedback ORDER BY answer_index"
    )
    assert [(row["question"], int(row["value"]), row["class"], row["measure"]) for row in rows] == [
        ("nps", 3, "negative", "nps"),
        ("csat", 5, "positive", "staff"),
        ("ces", 7, "positive", "ces"),
    ]
    assert len({row["feedback_id"] for row in rows}) == 3


async def test_a_wrong_answer_among_several_is_named_by_its_number(client: httpx.AsyncClient) -> None:
    good = {"question": "nps", "scale": "nps_0_10", "value": 3}
    bad = [{**good, "question": "other", "value": 12}, good, {**good, "question": "q", "scole": 1}]
    posted = [
        event("feedback.received", f"s{n}", data={"answers": [good, item]}) for n, item in enumerate(bad)
    ]
    answer = await client.post("/v1/events", json=posted)
    found = [(error_of(answer, n)["code"], error_of(answer, n)["pointer"]) for n in range(3)]
    assert found == [
        ("score_outside_scale", "/data/answers/1/value"),
        ("duplicate_question", "/data/answers/1/question"),
        ("unknown_field", "/data/answers/1/scole"),
    ]


async def test_text_alone_is_feedback_of_unknown_class_and_a_label_gives_it_one(
    client: httpx.AsyncClient, server: Server
) -> None:
    posted = [
        event("feedback.received", "t1", data={"text": "hm"}),
        event("feedback.received", "t2", data={"text": "great", "label": "positive"}),
    ]
    await client.post("/v1/events", json=posted)
    rows = await query(server, "SELECT question, class, value FROM feedback ORDER BY position")
    assert [tuple(row) for row in rows] == [("none", "unknown", None), ("none", "positive", None)]


async def test_a_refused_survey_is_a_silent_answer_without_a_score(
    client: httpx.AsyncClient, server: Server
) -> None:
    refused = event(
        "survey.refused", "s1", subject="survey/S-1", data={"question": "nps", "scale": "nps_0_10"}
    )
    assert (await client.post("/v1/events", json=refused)).status_code == 201
    rows = await query(server, "SELECT class, value, norm01, slot, collection_mode FROM feedback")
    assert [tuple(row) for row in rows] == [("silent", None, None, None, "invited")]
    assert await value_of(server, "SELECT count(*) FROM cases") == 0


async def test_visitors_transactions_and_interactions_are_volumes(
    client: httpx.AsyncClient, server: Server
) -> None:
    posted = [
        event("visitors.counted", "v1", data={"count": 250, "location": "k1"}),
        event("transactions.counted", "v2", data={"count": 40, "location": "k1"}),
        event(
            "transaction.completed",
            "v3",
            subject="transaction/T1",
            data={"amount": "19.99", "currency": "UAH"},
        ),
        event(
            "interaction.ended", "v4", subject="interaction/I1", data={"channel": "call", "employee": "olena"}
        ),
        event("interactions.counted", "v5", data={"count": 0}),
        event("visitors.counted", "v6", data={"count": -1}),
        event("visitors.counted", "v7", data={}),
        event("transaction.completed", "v8", data={"amount": "1e-7"}),
        event("transaction.completed", "v9", data={"amount": 10, "currency": "uah"}),
    ]
    answer = await client.post("/v1/events", json=posted)
    assert results_of(answer) == ["created"] * 5 + ["rejected"] * 4
    pointers = [error_of(answer, n)["pointer"] for n in range(5, 9)]
    assert pointers == ["/data/count", "/data/count", "/data/amount", "/data/currency"]
    rows = await query(server, "SELECT kind, count, amount::text FROM volumes ORDER BY position")
    assert [tuple(row) for row in rows] == [
        ("visitors", 250, None),
        ("transactions", 40, None),
        ("transactions", 1, "19.99"),
        ("interactions", 1, None),
        ("interactions", 0, None),
    ]


async def test_nouns_exist_from_the_event_that_names_them_first(
    client: httpx.AsyncClient, server: Server
) -> None:
    named = {"location": "k1", "employee": "Олена", "touchpoint": "till", "product": "tea", "segment": "vip"}
    named["cause"] = "odd.cause"
    await client.post(
        "/v1/events", json=[rating("a1", **named), rating("a2", **named), rating("a3", location="k2")]
    )
    rows = await query(
        server, "SELECT kind, key, uncategorised FROM directory WHERE uncategorised ORDER BY kind, key"
    )
    assert [tuple(row) for row in rows] == [
        ("cause", "odd.cause", True),
        ("employee", "Олена", True),
        ("location", "k1", True),
        ("location", "k2", True),
        ("product", "tea", True),
        ("segment", "vip", True),
        ("touchpoint", "till", True),
    ]
    questions = await query(server, "SELECT key, measure, scale_id, relational FROM questions")
    assert [tuple(row) for row in questions] == [("nps", "nps", "nps_0_10", True)]
    assert await value_of(server, "SELECT count(*) FROM sources WHERE key = 'crm'") == 1


async def test_feedback_belongs_to_the_interaction_that_it_names(
    client: httpx.AsyncClient, server: Server
) -> None:
    await client.post("/v1/events", json=event("interaction.ended", "i1", subject="interaction/CALL-7"))
    await client.post(
        "/v1/events", json=[rating("a1", interaction="CALL-7"), rating("a2", transaction="T-1")]
    )
    rows = await query(server, "SELECT subject_kind, subject_id FROM feedback ORDER BY position")
    ended = await value_of(server, "SELECT subject_id FROM events WHERE external_id = 'i1'")
    assert tuple(rows[0]) == ("interaction", ended)
    assert rows[1]["subject_kind"] == "transaction"


async def test_a_stated_subject_goes_before_an_inferred_one(
    client: httpx.AsyncClient, server: Server
) -> None:
    await client.post("/v1/events", json=rating("a1", subject="case/C-1", interaction="CALL-7"))
    assert await value_of(server, "SELECT subject_kind FROM feedback") == "case"
    assert await value_of(server, "SELECT count(*) FROM subject_aliases") == 1


async def test_facts_about_a_subject_are_stored_in_any_order(
    client: httpx.AsyncClient, server: Server
) -> None:
    posted = [
        event("case.closed", "c3", subject="case/C-1", when=at(hours=3)),
        event("case.acknowledged", "c2", subject="case/C-1", when=at(hours=2)),
        event("case.opened", "c1", subject="case/C-1", when=at(hours=1), data={"kind": "complaint"}),
    ]
    for item in posted:
        assert (await client.post("/v1/events", json=item)).status_code == 201
    row = (await query(server, "SELECT state, opened_at, closed_at FROM cases"))[0]
    assert row["state"] == "closed"
    assert row["opened_at"] < row["closed_at"]


async def test_a_person_is_kept_apart_from_the_fact(client: httpx.AsyncClient, server: Server) -> None:
    customer = {"type": "email", "value": " Olena@Example.com"}
    await client.post("/v1/events", json=rating("a1", customer=customer, text="my words", author="O. K."))
    await client.post("/v1/events", json=rating("a2", customer={**customer, "value": "olena@example.com "}))
    facts = await value_of(server, "SELECT string_agg(events::text, ' ') FROM events")
    for personal in ("lena", "my words", "O. K."):
        assert personal not in facts
    assert await value_of(server, "SELECT count(DISTINCT customer_ref) FROM feedback") == 1


async def test_the_place_of_a_mistake_is_a_pointer_into_what_was_sent(client: httpx.AsyncClient) -> None:
    cases = {
        "/data/attributes/deep": rating("p1", attributes={"deep": {"a": 1}}),
        "/data/attributes/long": rating("p2", attributes={"long": [1]}),
        "/data/customer/value": rating("p3", customer={"type": "email"}),
        "/data/customer/na~1me": rating("p4", customer={"type": "email", "value": "x", "na/me": 1}),
        "/data/channel": rating("p5", channel="fax"),
        "/data/lang": rating("p6", lang="english!"),
        "/subject/kind": event("case.opened", "p7", subject="house/1"),
        "/surprise": {**rating("p8"), "surprise": 1},
        "/data": {**rating("p9"), "data": "text"},
        "/id": {**rating("p10"), "id": ""},
        "/source": {**rating("p11"), "source": "s" * 201},
        "/type": {**rating("p12"), "type": "feedback.recieved"},
    }
    answer = await client.post("/v1/events", json=list(cases.values()))
    for n, pointer in enumerate(cases):
        error = error_of(answer, n)
        assert error["pointer"] == pointer, error
        assert error["cure"], error
    assert "feedback.received" in error_of(answer, len(cases) - 1)["cure"]


async def test_a_fact_of_a_case_that_names_no_case_is_refused_and_not_lost(client: httpx.AsyncClient) -> None:
    nameless = event("case.opened", "c1", data={"kind": "complaint"})
    of_an_order = event("case.opened", "c3", subject="order/O-1")
    into_nothing = event("case.merged", "c4", subject="case/T-1")
    gift = event("compensation.offered", "c5", data={"type": "money", "amount": 5, "currency": "USD"})
    whole = event("case.opened", "c6", subject="case/T-1")
    answer = await client.post("/v1/events", json=[nameless, of_an_order, into_nothing, gift, whole])
    assert results_of(answer) == ["rejected"] * 4 + ["created"]
    assert [(error_of(answer, n)["code"], error_of(answer, n)["pointer"]) for n in range(4)] == [
        ("subject_missing", "/subject"),
        ("subject_kind", "/subject/kind"),
        ("missing_field", "/data/into"),
        ("subject_missing", "/subject"),
    ]
    assert '"kind": "case"' in error_of(answer, 0)["cure"]
    assert [case["refs"] for case in (await client.get("/v1/cases")).json()["items"]] == [["T-1"]]
