"""Facebook Messenger and Instagram: messages to a page, button presses, and Meta's own feedback template.

A customer's text is feedback; an echo (`is_echo`: the page's own words) never is. The feedback template
states its metric: csat 1-5, nps 0-10, ces 1-7, each with a follow-up text. A button's payload, written
`question:value`, is an answer when the configuration names its question.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import UnknownEventError, names
from app.sources.questions import Answers, Given, read_answers
from app.sources.reading import Reader
from app.sources.times import epoch_milliseconds

_SCALES = {"csat": "csat_1_5", "nps": "nps_0_10", "ces": "ces2_1_7"}
_SAYS_NOTHING = names(
    "delivery read reaction optin referral pass_thread_control take_thread_control request_thread_control "
    "app_roles account_linking policy_enforcement message_edit message_context checkout_update payment seen "
    "game_play"
)
_ENVELOPE = ("sender", "recipient", "timestamp")


class MessengerAdapter:
    """Adapter of the webhooks of a page."""

    name = "messenger"

    def items(self, payload: object) -> Sequence[Item]:
        """One item per message of every entry; what a stand-by app overhears says nothing."""
        reader = Reader.of(payload)
        if reader.text("object") not in ("page", "instagram"):
            raise UnknownEventError("Messenger", reader.raw("object"), pointer="/object")
        return [
            Item(one.pointer, one.value)
            for entry in reader.objects("entry")
            for one in entry.objects("messaging")
        ]

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one message. Raises PayloadError, UnknownEventError."""
        messaging = Reader.of(item.value, item.pointer)
        if messaging.raw("message") is not None:
            return _message(messaging, messaging.object("message"), context)
        if messaging.raw("messaging_feedback") is not None:
            return _template(messaging, context)
        if messaging.raw("postback") is not None:
            postback = messaging.object("postback")
            return _pressed(messaging, postback.text("payload"), postback.identifier("mid"), context)
        names = [key for key in messaging.value if key not in _ENVELOPE]
        if names and all(name in _SAYS_NOTHING for name in names):
            return []
        raise UnknownEventError("Messenger", names[0] if names else None, pointer=item.pointer)


def _message(messaging: Reader, message: Reader, context: SourceContext) -> list[Event]:
    if message.flag("is_echo") or message.flag("is_deleted"):
        return []
    number = message.required_identifier("mid")
    pressed = message.object("quick_reply").text("payload")
    if pressed is not None:
        answered = _pressed(messaging, pressed, number, context)
        if answered:
            return answered
    text = message.text("text")
    return [] if text is None else [_feedback(messaging, f"message:{number}", {"text": text}, context)]


def _pressed(
    messaging: Reader, payload: str | None, number: str | None, context: SourceContext
) -> list[Event]:
    question, separator, value = (payload or "").partition(":")
    rules = context.defaults.questions
    if not separator or not value or question not in rules:
        return []
    found = read_answers([Given(question, value, messaging.pointer)], rules)
    name = number or f"{messaging.raw('timestamp')}:{question}"
    return [_feedback(messaging, f"press:{name}", _stated(found), context)] if found else []


def _template(messaging: Reader, context: SourceContext) -> list[Event]:
    given: list[Given] = []
    feedback = messaging.object("messaging_feedback")
    for screen in feedback.objects("feedback_screens"):
        questions = screen.object("questions")
        for key in questions.value:
            question = questions.object(key)
            kind = (question.text("type") or "").lower()
            given.append(
                Given(key, question.raw("payload"), question.at("payload"), "score", _SCALES.get(kind), kind)
            )
            follow_up = question.object("follow_up")
            given.append(Given(f"{key}_follow_up", follow_up.raw("payload"), follow_up.at("payload"), "text"))
    known = [one for one in given if one.as_ == "text" or one.scale or one.key in context.defaults.questions]
    found = read_answers(known, context.defaults.questions)
    name = f"template:{messaging.object('sender').identifier('id')}:{messaging.raw('timestamp')}"
    return [_feedback(messaging, name, _stated(found), context)] if found else []


def _stated(found: Answers) -> dict[str, object]:
    return {
        "kind": "rating",
        "answers": found.answers,
        "text": found.text,
        "attributes": found.attributes,
        "collection_mode": "invited",
    }


def _feedback(messaging: Reader, name: str, stated: dict[str, object], context: SourceContext) -> Event:
    sender = messaging.object("sender").identifier("id")
    moment = epoch_milliseconds(messaging.raw("timestamp"), messaging.at("timestamp"))
    data = {
        "channel": context.defaults.channel or "messenger",
        "channel_raw": "messenger",
        "customer": {"type": "messenger_user", "value": sender} if sender else None,
        **stated,
    }
    told = stated.get("attributes")
    page = {"page": messaging.object("recipient").identifier("id") or ""}
    data["attributes"] = page | (told if isinstance(told, dict) else {})
    subject = context.subject(SubjectKind.INTERACTION, "chat", sender) if sender else None
    return context.event(EventType.FEEDBACK_RECEIVED, name, moment, subject, data)
