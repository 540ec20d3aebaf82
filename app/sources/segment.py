"""Segment: tracked events of its e-commerce vocabulary; an event of the tenant's own invention says nothing.

- Order Completed: a transaction; Order Refunded, Order Cancelled: the order's status changed;
- Product Reviewed: a review with its rating and text;
- any tracked event whose property is named in `questions`: feedback with those answers.
`timestamp` is Segment's, corrected for the sender's clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import UnknownEventError
from app.sources.questions import Given, one_score, read_answers
from app.sources.reading import Reader
from app.sources.times import Moment, iso_time

_SAYS_NOTHING = ("identify", "page", "screen", "group", "alias")
_CHANGES = {"order refunded": "refunded", "order cancelled": "cancelled", "order updated": "updated"}
_TEXTS = ("comment", "text", "feedback", "message", "review_body", "remark")


class SegmentAdapter:
    """Adapter of Segment's webhook destination."""

    name = "segment"

    def items(self, payload: object) -> Sequence[Item]:
        """One call is one statement; a batch is one each."""
        if isinstance(payload, list):
            return [Item(f"/{index}", one) for index, one in enumerate(payload)]
        reader = Reader.of(payload)
        if isinstance(reader.raw("batch"), list):
            return [Item(one.pointer, one.value) for one in reader.objects("batch")]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one call. Raises PayloadError, UnknownEventError."""
        call = Reader.of(item.value, item.pointer)
        kind = call.text("type")
        if kind in _SAYS_NOTHING:
            return []
        if kind != "track":
            raise UnknownEventError("Segment", kind, pointer=call.at("type"))
        return _tracked(call, call.object("properties"), context)


def _tracked(call: Reader, stated: Reader, context: SourceContext) -> list[Event]:
    name = (call.text("event") or "").lower()
    number = call.required_identifier("messageId")
    key = "timestamp" if call.raw("timestamp") else "originalTimestamp"
    moment = iso_time(call.raw(key), pointer=call.at(key))
    if name == "order completed":
        return [_order(number, call, stated, moment, context)]
    if name in _CHANGES:
        order = stated.required_identifier("order_id")
        subject = context.subject(SubjectKind.ORDER, "order", order)
        change = {"type": _CHANGES[name], "reason": stated.text("reason")}
        return [context.event(EventType.ORDER_STATUS_CHANGED, number, moment, subject, change)]
    if name == "product reviewed":
        return [_review(number, call, stated, moment, context)]
    rules = context.defaults.questions
    if not any(key in rules for key in stated.value):
        return []
    texts = [
        Given(key, value, stated.at(key), "text" if key in _TEXTS else "nothing")
        for key, value in stated.value.items()
    ]
    found = read_answers(texts, rules)
    data = _who(call, context) | {
        "kind": "rating",
        "answers": found.answers,
        "text": found.text,
        "attributes": found.attributes,
        "collection_mode": "invited",
    }
    return [context.event(EventType.FEEDBACK_RECEIVED, number, moment, None, data)] if found else []


def _order(number: str, call: Reader, stated: Reader, moment: Moment, context: SourceContext) -> Event:
    order = stated.required_identifier("order_id")
    total = stated.number("total")
    amount = total if total is not None and total >= 0 else None
    currency = stated.text("currency")
    data = _who(call, context) | {
        "amount": None if amount is None else str(amount),
        "currency": currency if amount is not None and currency and len(currency) == 3 else None,
    }
    subject = context.subject(SubjectKind.TRANSACTION, "order", order)
    return context.event(EventType.TRANSACTION_COMPLETED, number, moment, subject, data)


def _review(number: str, call: Reader, stated: Reader, moment: Moment, context: SourceContext) -> Event:
    review = stated.identifier("review_id") or number
    data = _who(call, context) | {
        "kind": "review",
        "channel": "review",
        "product": stated.identifier("product_id"),
        "answers": one_score("stars", stated.score("rating", 1, 5), "stars_1_5", "stars"),
        "text": stated.text("review_body"),
    }
    return context.event(
        EventType.REVIEW_PUBLISHED,
        number,
        moment,
        context.subject(SubjectKind.REVIEW, "review", review),
        data,
        object=context.ref("review", review),
        version=moment.version,
    )


def _who(call: Reader, context: SourceContext) -> dict[str, object]:
    user, anonymous = call.identifier("userId"), call.identifier("anonymousId")
    customer = (
        {"type": "external_id", "value": user}
        if user
        else {"type": "segment_anonymous", "value": anonymous}
        if anonymous
        else None
    )
    return {"channel": context.defaults.channel or "web", "customer": customer}
