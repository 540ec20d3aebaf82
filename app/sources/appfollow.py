"""AppFollow: reviews of app stores, posted as one text for a chat (stars as glyphs, title, body, author).

The text carries no id and no time: the permalink names the review where there is one, else its content
does, and the arrival stands for the time. A reviewer's country and the app's version are attributes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.events import Event
from app.sources.base import Item, SourceContext
from app.sources.errors import PayloadError, UnknownEventError
from app.sources.questions import one_score
from app.sources.reading import Reader
from app.sources.review_states import ReviewState, content_digest, stated

_STARS = re.compile(r"^\s*([★☆]{5})\s*(.*)$")
_AUTHOR = re.compile(r"^_by_ \*(.*?)\*(?: _for (.*?)_)?\s*(.*)$")
_TITLE = re.compile(r"^\*(.+)\*$")
_LINK = re.compile(r"\[Permalink\]\(([^()\s]+)\)")
_TEST = ("webhook integration was successful", "test message")
_LONGEST = 40_000


class AppFollowAdapter:
    """Adapter of AppFollow's chat webhook."""

    name = "appfollow"

    def items(self, payload: object) -> Sequence[Item]:
        """One webhook is one statement."""
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The review in the text; AppFollow's test message says nothing. Raises PayloadError."""
        hook = Reader.of(item.value, item.pointer)
        text = (hook.text("text") or "")[:_LONGEST]
        if text.strip().lower().startswith(_TEST):
            return []
        lines = text.splitlines()
        place = next((index for index, line in enumerate(lines) if _STARS.match(line)), None)
        if place is None:
            raise UnknownEventError("AppFollow", text[:40] or None, pointer=hook.at("text"))
        return [stated(_review(lines, place, text, hook), context)]


def _review(lines: list[str], place: int, text: str, hook: Reader) -> ReviewState:
    glyphs, country = _STARS.findall(lines[place])[0]
    if "☆" in glyphs.rstrip("☆"):
        raise PayloadError(
            "score_invalid",
            "stars that are not counted from the left",
            pointer=hook.at("text"),
            cure="Replay it.",
        )
    rest = lines[place + 1 :]
    author = next(((index, match) for index, line in enumerate(rest) if (match := _AUTHOR.match(line))), None)
    said = rest if author is None else rest[: author[0]]
    said = [line for line in said if not _LINK.search(line)]
    title = _TITLE.match(said[0]) if said else None
    link = _LINK.search(text)
    url = link[1].replace("\\/", "/") if link else None
    shop = lines[1] if place >= 2 else ""
    return ReviewState(
        number=content_digest(lines[0], country, *rest),
        written=None,
        answers=one_score("stars", glyphs.count("★"), "stars_1_5", "stars"),
        title=title[1] if title else None,
        text="\n".join(said[1:] if title else said).strip() or None,
        author=author[1][1] if author else None,
        product=lines[0].strip()[:100] or None if place else None,
        url=url,
        attributes={
            key: value[:200]
            for key, value in (
                ("country", country.strip()),
                ("app_version", (author[1][2] or "").removeprefix("v") if author else ""),
                ("store", shop.partition(",")[0].strip()),
            )
            if value
        },
    )
