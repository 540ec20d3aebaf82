"""Google Play: reviews of an app and the developer's replies, as its API lists them.

Times are seconds in a text, with nanoseconds beside them. A text may hold a title before a tab. A review is
stated by its last change alone: its first time is not told.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event
from app.sources.base import Item, SourceContext
from app.sources.errors import PayloadError, UnknownEventError
from app.sources.questions import one_score
from app.sources.reading import Reader
from app.sources.review_states import ReviewState, replied, stated
from app.sources.times import Moment, epoch_seconds


class GooglePlayAdapter:
    """Adapter of the reviews of Google Play."""

    name = "google_play"

    def items(self, payload: object) -> Sequence[Item]:
        """One item per review."""
        reader = Reader.of(payload)
        if reader.raw("reviewId") is not None:
            return (Item("", payload),)
        return [Item(one.pointer, one.value) for one in reader.objects("reviews")]

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """A review and the replies to it. Raises PayloadError."""
        review = Reader.of(item.value, item.pointer)
        number = review.required_identifier("reviewId")
        comments = review.objects("comments")
        users = [one.object("userComment") for one in comments if one.raw("userComment") is not None]
        if not users:
            raise UnknownEventError(
                "Google Play", "a review without a comment", pointer=review.at("comments")
            )
        # The API lists the latest words only; should it list more, the last is the state.
        events = [stated(_state(number, review, users[-1]), context)]
        for one in comments:
            if one.raw("developerComment") is not None:
                reply = one.object("developerComment")
                events.append(replied(number, _time(reply), reply.text("text"), context))
        return events


def _state(number: str, review: Reader, user: Reader) -> ReviewState:
    title, separator, body = (user.text("text") or "").partition("\t")
    return ReviewState(
        number=number,
        written=None,
        changed=_time(user),
        answers=one_score("stars", user.score("starRating", 1, 5), "stars_1_5", "stars"),
        title=title.strip() or None if separator else None,
        text=(body if separator else title).strip() or None,
        author=review.text("authorName"),
        lang=user.text("reviewerLanguage"),
        attributes={
            key: value
            for key, value in (
                ("app_version", user.text("appVersionName")),
                ("device", user.text("device")),
                ("android_version", user.identifier("androidOsVersion")),
            )
            if value
        },
    )


def _time(comment: Reader) -> Moment:
    when = comment.object("lastModified")
    moment = epoch_seconds(when.raw("seconds"), when.at("seconds"))
    nanos = when.number("nanos") or 0
    if not 0 <= nanos < 10**9:
        raise PayloadError(
            "time_invalid", "nanos out of range", pointer=when.at("nanos"), cure="Send 0 to 10^9."
        )
    micros = int(nanos) // 1_000
    return Moment(moment.at.replace(microsecond=micros), f"{moment.raw}.{int(nanos):09d}")
