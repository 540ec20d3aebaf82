"""A public review in any of its states, said once for all review sites: published, edited, replied."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import SourceContext
from app.sources.times import Moment


@dataclass(frozen=True, slots=True)
class ReviewState:
    """One state of a review. `written` is when it came to be, `changed` when this state did (None: the same).

    `customer` is a stable identity of the author; a nickname is an `author` and no identity.
    """

    number: str
    written: Moment | None
    changed: Moment | None = None
    answers: list[dict[str, object]] = field(default_factory=list)
    text: str | None = None
    title: str | None = None
    author: str | None = None
    customer: Mapping[str, str] | None = None
    lang: str | None = None
    location: str | None = None
    product: str | None = None
    url: str | None = None
    transaction: str | None = None
    verification: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)


def stated(review: ReviewState, context: SourceContext) -> Event:
    """`review.published`, or `review.edited` when this state is younger than the review."""
    first = review.written or review.changed
    latest = review.changed or review.written
    edited = first is not None and latest is not None and latest.at > first.at
    act = EventType.REVIEW_EDITED if edited else EventType.REVIEW_PUBLISHED
    moment = latest or context.arrival()
    data = {
        "kind": "review",
        "channel": "review",
        "location": review.location,
        "product": review.product,
        "customer": review.customer,
        "author": review.author,
        "transaction": review.transaction,
        "answers": review.answers,
        "title": review.title,
        "text": review.text,
        "lang": review.lang,
        "collection_mode": "scraped",
        "source_url": review.url,
        "verification": review.verification,
        "experienced_at": first.at.isoformat() if edited and first is not None else None,
        "attributes": dict(review.attributes),
    }
    name = latest.raw if latest is not None else content_digest(review)
    return context.event(
        act,
        f"review:{review.number}@{name}",
        moment,
        context.subject(SubjectKind.REVIEW, "review", review.number),
        data,
        object=context.ref("review", review.number),
        version=moment.version,
    )


def replied(number: str, moment: Moment, text: str | None, context: SourceContext) -> Event:
    """The company's public answer to a review."""
    return context.event(
        EventType.REVIEW_REPLIED,
        f"review:{number}:replied@{moment.raw}",
        moment,
        context.subject(SubjectKind.REVIEW, "review", number),
        {"text": text, "human": True},
    )


def content_digest(*parts: object) -> str:
    """16 hex digits that name equal content: what stands in for the id of a thing that has none."""
    text = "\n".join(repr(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
