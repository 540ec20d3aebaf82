"""Trustpilot: service reviews published, edited and deleted, and the company's replies, in batches.

A review is one object and each event is a state of it, so one event is one answer: `review.published`
and `review.edited` carry the stars and the text and start the public-reply timer. Deletion is
`review.removed` at a greater version: the review is history, it was not untrue. Trustpilot documents no
reply event; a `companyReply` inside a review is `review.replied`. The title is the start of the text,
cut with an ellipsis, and is kept as such.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import UnknownEventError
from app.sources.reading import Reader
from app.sources.times import Moment, iso_time

_NOT_IN_NAMES = re.compile(r"[^a-z0-9_]+")


class TrustpilotAdapter:
    """Adapter of Trustpilot's `events[]` batches. An empty batch is legal."""

    name = "trustpilot"

    def items(self, payload: object) -> Sequence[Item]:
        """One item per event of the batch; a batch that is not one is refused whole."""
        batch = Reader.of(payload).objects("events")
        return [Item(event.pointer, event.value) for event in batch]

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one review event. Raises PayloadError, UnknownEventError."""
        envelope = Reader.of(item.value, item.pointer)
        name = envelope.text("eventName")
        review = envelope.object("eventData")
        match name:
            case "service-review-created":
                return [_stated(review, context, EventType.REVIEW_PUBLISHED), *_replied(review, context)]
            case "service-review-updated":
                return [_stated(review, context, EventType.REVIEW_EDITED), *_replied(review, context)]
            case "service-review-deleted":
                return [_removed(review, context)]
            case _:
                raise UnknownEventError("Trustpilot", name, pointer=envelope.at("eventName"))


def _stated(review: Reader, context: SourceContext, act: EventType) -> Event:
    number = review.required_identifier("id")
    stated = _time(review, "createdAt" if act is EventType.REVIEW_PUBLISHED else "updatedAt")
    moment = stated or _arrival(context)
    stars = review.score("stars", 1, 5)
    data = {
        "kind": "review",
        "channel": "review",
        "location": review.identifier("locationId"),
        "customer": _author(review),
        "author": review.object("consumer").text("name"),
        "transaction": review.identifier("referenceId"),
        "answers": []
        if stars is None
        else [{"question": "stars", "measure": "stars", "scale": "stars_1_5", "value": stars}],
        "title": review.text("title"),
        "text": review.text("text"),
        "lang": review.text("language"),
        "collection_mode": "scraped",
        "source_url": review.text("link"),
        "verification": "verified" if review.flag("isVerified") else "presumed_genuine",
        "attributes": _tags(review),
    }
    return Event(
        type=act,
        id=f"review:{number}@{_version_id(review, stated)}",
        source=context.source,
        occurred_at=moment.at,
        time_raw=moment.raw,
        subject=context.subject(SubjectKind.REVIEW, "review", number),
        object=context.ref("review", number),
        version=moment.version,
        data=context.data(act, data),
    )


def _replied(review: Reader, context: SourceContext) -> list[Event]:
    reply = review.object("companyReply")
    replied = _time(reply, "createdAt")
    if replied is None:
        return []
    number = review.required_identifier("id")
    return [
        Event(
            type=EventType.REVIEW_REPLIED,
            id=f"review:{number}:replied@{replied.raw}",
            source=context.source,
            occurred_at=replied.at,
            time_raw=replied.raw,
            subject=context.subject(SubjectKind.REVIEW, "review", number),
            data=context.data(EventType.REVIEW_REPLIED, {"text": reply.text("text"), "human": True}),
        )
    ]


def _removed(review: Reader, context: SourceContext) -> Event:
    number = review.required_identifier("id")
    # Not `updatedAt`: the removal must lie above the last edit, whose version that is.
    moment = _time(review, "deletedAt") or _arrival(context)
    return Event(
        type=EventType.REVIEW_REMOVED,
        # A review is deleted once: its id alone names the event, also when no time of deletion is told.
        id=f"review:{number}:removed",
        source=context.source,
        occurred_at=moment.at,
        time_raw=moment.raw,
        subject=context.subject(SubjectKind.REVIEW, "review", number),
        object=context.ref("review", number),
        version=moment.version,
        data=context.data(EventType.REVIEW_REMOVED, {}),
    )


def _author(review: Reader) -> dict[str, str] | None:
    consumer = review.object("consumer").identifier("id")
    return {"type": "trustpilot_consumer", "value": consumer} if consumer else None


def _tags(review: Reader) -> dict[str, str]:
    """Tags as attributes, `tag_<group>`; several values of one group are joined in their order."""
    values: dict[str, list[str]] = {}
    for tag in review.objects("tags"):
        group, value = tag.text("group"), tag.text("value")
        if group and value:
            values.setdefault("tag_" + _NOT_IN_NAMES.sub("_", group.lower())[:59], []).append(value)
    return {key: ", ".join(tags) for key, tags in values.items()}


def _time(reader: Reader, key: str) -> Moment | None:
    return None if reader.raw(key) in (None, "") else iso_time(reader.raw(key), pointer=reader.at(key))


def _arrival(context: SourceContext) -> Moment:
    """When nothing tells the time, the arrival is the latest it can have happened."""
    return Moment(context.received_at, context.received_at.isoformat())


def _version_id(review: Reader, stated: Moment | None) -> str:
    """What names this state of the review for ever: its time, or its content where no time is told."""
    if stated is not None:
        return stated.raw
    content = "\n".join(str(review.raw(key)) for key in ("stars", "title", "text"))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
