"""Reads an order and its customer from the provider, counts how often it saw the order, and makes the mistakes that plugins make."""

from tidegate import Context, Entity, Event, Failed, Interpretation, Item, Money, Order, Skip, Trigger, contact, plugin


def interpret(item: Item, ctx: Context) -> Interpretation:
    webhook = item.read()
    if item.topic == "uncaught":
        raise KeyError("boom")
    if item.topic == "wrong-answer":
        order = Order(id=5)
        return Interpretation(events=[Event(kind="order.updated", event_key="order", occurred_at=item.received_at, payload=order)])
    base = f"https://api.example.com/{ctx.settings['shop']}"
    answer = ctx.fetch(f"{base}/orders/{webhook.text('order_id')}")
    if answer.status == 404:
        raise Skip("the order is gone")
    if not answer.ok:
        raise Failed(f"the provider answered {answer.status}", field="/order_id", retry=True)
    order = answer.read()
    customer = ctx.fetch(f"{base}/customers/{order.text('customer')}").read()
    seen = (ctx.state or {}).get("seen", 0) + 1
    ctx.set_state({"seen": seen})
    ctx.log("info", "an order was read")
    event = Event(
        kind="order.updated",
        event_key="order",
        occurred_at=order.instant("updated"),
        contact=contact(phone=customer.maybe_text("phone"), external_id=customer.text("id"), fields={"tier": "gold"}),
        entity=Entity(entity_type="order", id=order.text("id")),
        payload=Order(id=order.text("id"), total=Money(amount=order.decimal("total"), currency="EUR"), note=order.maybe_text("note")),
        extra={"seen": seen},
    )
    return Interpretation(events=[event], triggers=[Trigger(name="order-seen", event_key="order", variables={"times": seen})])


Normalizer = plugin(interpret)
