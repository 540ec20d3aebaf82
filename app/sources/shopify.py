"""Shopify: orders, refunds, cancellations and deliveries. The topic stands in a header; bodies tell it too.

- an order that was placed or paid: the transaction was completed, one object per order, the last state wins;
- a refund or a cancellation: the order's status changed, with the reason that was written;
- a fulfilment: when it is expected (`order.promised`), and that it was delivered.
Reviews are no part of Shopify: they come from the review app.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import PayloadError, UnknownEventError
from app.sources.reading import Reader
from app.sources.times import Moment, iso_time

_SAYS_NOTHING_NOUNS: tuple[str, ...] = (
    "app",
    "app_subscriptions",
    "bulk_operations",
    "carts",
    "checkouts",
    "collections",
)
_SAYS_NOTHING_NOUNS += ("customers", "customer_groups", "disputes", "draft_orders", "inventory_items")
_SAYS_NOTHING_NOUNS += ("inventory_levels", "locations", "markets", "products", "profiles", "shop", "themes")
_SAYS_NOTHING_NOUNS += ("tender_transactions", "variants", "order_transactions", "fulfillment_orders")
_SAYS_NOTHING = ("orders/edited", "orders/delete", "orders/risk_assessment_changed", "refunds/delete")
_CHANNELS = {"web": "web", "pos": "store", "iphone": "app", "android": "app"}


class ShopifyAdapter:
    """Adapter of Shopify's webhooks: bare objects, or wrapped by their name as its API shows them."""

    name = "shopify"

    def items(self, payload: object) -> Sequence[Item]:
        """One webhook is one statement; a pulled list of orders or refunds is one each."""
        reader = Reader.of(payload)
        for key in ("orders", "refunds"):
            if isinstance(reader.raw(key), list):
                return [Item(one.pointer, {key[:-1]: one.value}) for one in reader.objects(key)]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one webhook. Raises PayloadError, UnknownEventError."""
        body = Reader.of(item.value, item.pointer)
        noun, act, stated = _topic(body, context)
        topic = f"{noun}/{act}" if act else noun
        if noun in _SAYS_NOTHING_NOUNS or topic in _SAYS_NOTHING:
            return []
        match noun:
            case "orders":
                return _order(stated, act, context)
            case "refunds":
                return [_refund(stated, context)]
            case "fulfillments" | "fulfillment_events":
                return _fulfilment(stated, context)
            case _:
                raise UnknownEventError("Shopify", topic or None, pointer=item.pointer)


def _topic(body: Reader, context: SourceContext) -> tuple[str, str, Reader]:
    """What the webhook is about: by its header, else by its wrapper, else by what it holds."""
    wrapped = next(
        (key for key in ("order", "refund", "fulfillment") if isinstance(body.raw(key), dict)), None
    )
    stated = body.object(wrapped) if wrapped else body
    topic = context.headers.get("x-shopify-topic", "")
    if topic:
        noun, _, act = topic.partition("/")
        return noun, act, stated
    if wrapped:
        return f"{wrapped}s", "", stated
    if body.raw("refund_line_items") is not None:
        return "refunds", "", stated
    if body.raw("order_number") is not None or body.raw("financial_status") is not None:
        return "orders", "", stated
    if body.raw("order_id") is not None and body.raw("tracking_number") is not None:
        return "fulfillments", "", stated
    return "", "", stated


def _order(order: Reader, act: str, context: SourceContext) -> list[Event]:
    number = order.required_identifier("id")
    if order.flag("test"):
        return []
    if act == "cancelled" or order.text("cancelled_at"):
        moment = _time(order, "cancelled_at", "updated_at")
        reason = order.text("cancel_reason")
        data = _where(order, context) | {"type": "cancelled", "reason": reason}
        return [_changed(number, f"cancelled@{moment.raw}", moment, data, context)]
    placed, changed = _time(order, "created_at"), _time(order, "updated_at", "created_at")
    amount, currency = _amount(order.raw("total_price")), order.text("currency")
    data = _where(order, context) | {
        "employee": context.employee(order.identifier("user_id")),
        "amount": None if amount is None else str(amount),
        "currency": currency if amount is not None else None,
    }
    return [
        context.event(
            EventType.TRANSACTION_COMPLETED,
            f"order:{number}@{changed.raw}",
            placed,
            context.subject(SubjectKind.TRANSACTION, "order", number),
            data,
            object=context.ref("order", number),
            version=changed.version,
        )
    ]


def _refund(refund: Reader, context: SourceContext) -> Event:
    number, order = refund.required_identifier("id"), refund.required_identifier("order_id")
    moment = _time(refund, "created_at", "processed_at")
    paid = [one for one in refund.objects("transactions") if one.text("kind") == "refund"]
    amounts = [amount for one in paid if (amount := _amount(one.raw("amount"))) is not None]
    currency = next((one.text("currency") for one in paid if one.text("currency")), None)
    data: dict[str, object] = {
        "type": "refunded",
        "reason": refund.text("note"),
        "amount": str(sum(amounts)) if amounts else None,
        "currency": currency if amounts else None,
        "employee": context.employee(refund.identifier("user_id")),
    }
    return _changed(order, f"refund:{number}", moment, data, context)


def _fulfilment(stated: Reader, context: SourceContext) -> list[Event]:
    order = stated.required_identifier("order_id")
    number = stated.required_identifier("id")
    subject = context.subject(SubjectKind.ORDER, "order", order)
    status = stated.first("shipment_status", "status")
    events = []
    expected = stated.text("estimated_delivery_at")
    moment = _time(stated, "happened_at", "updated_at", "created_at")
    if expected is not None:
        due = iso_time(expected, pointer=stated.at("estimated_delivery_at"))
        data = {"promised_at": due.at.isoformat()}
        name = f"fulfilment:{number}:promised@{due.raw}"
        events.append(context.event(EventType.ORDER_PROMISED, name, moment, subject, data))
    if status == "delivered":
        # By the order's parcel, not by the webhook: an event and an update may both tell it.
        parcel = stated.identifier("fulfillment_id") or number
        name = f"fulfilment:{parcel}:delivered@{moment.raw}"
        events.append(context.event(EventType.ORDER_DELIVERED, name, moment, subject, {}))
    return events


def _changed(order: str, what: str, moment: Moment, data: dict[str, object], context: SourceContext) -> Event:
    subject = context.subject(SubjectKind.ORDER, "order", order)
    return context.event(EventType.ORDER_STATUS_CHANGED, f"order:{order}:{what}", moment, subject, data)


def _where(order: Reader, context: SourceContext) -> dict[str, object]:
    email = order.identifier("email") or order.object("customer").identifier("email")
    phone = order.identifier("phone")
    person = order.object("customer").identifier("id")
    customer = (
        {"type": "email", "value": email}
        if email
        else {"type": "phone", "value": phone}
        if phone
        else {"type": "shopify_customer", "value": person}
        if person
        else None
    )
    source = order.text("source_name") or ""
    return {
        "channel": context.defaults.channel or _CHANNELS.get(source, "web"),
        "channel_raw": source[:100] or None,
        "location": order.identifier("location_id"),
        "customer": customer,
    }


def _amount(value: object) -> Decimal | None:
    """Money is text at Shopify; what is none, or is negative, is not told."""
    if value in (None, "") or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount <= 10**12 else None


def _time(reader: Reader, *keys: str) -> Moment:
    for key in keys:
        if reader.raw(key) not in (None, ""):
            return iso_time(reader.raw(key), pointer=reader.at(key))
    raise PayloadError(
        "time_missing", "the payload says no time", pointer=reader.at(keys[0]), cure=f"Send {keys[0]}."
    )
