"""Generic shop: its order webhooks become events."""

from tidegate import Context, Entity, Event, Item, LineItem, Money, Order, Reader, Skip, contact, plugin

KINDS = {"order.created": "order.placed", "order.cancelled": "order.cancelled"}


def interpret(item: Item, ctx: Context) -> Event:
    kind = KINDS.get(item.topic)
    if kind is None:
        raise Skip(f"{item.topic} means nothing for messages")
    webhook = item.read()
    order = webhook.at("order")
    sent_at = webhook.instant("sent_at")
    return Event(
        kind=kind,
        event_key="order",
        occurred_at=sent_at,
        contact=contact(
            name=order.maybe_text("name"),
            phone=order.maybe_text("phone"),
            email=order.maybe_text("email"),
        ),
        entity=Entity(entity_type="order", id=order.text("id"), version=sent_at),
        payload=details(order),
    )


def details(order: Reader) -> Order:
    currency = order.text("currency")
    return Order(
        id=order.text("id"),
        number=order.maybe_text("number"),
        total=Money(amount=order.decimal("total"), currency=currency),
        items=[
            LineItem(
                sku=line.maybe_text("sku"),
                title=line.text("title"),
                quantity=line.decimal("quantity"),
                price=Money(amount=line.decimal("price"), currency=currency),
            )
            for line in order.each("items")
        ],
    )


Normalizer = plugin(interpret)
