// Reads an order and its customer from the provider, counts how often it saw the order, and makes the mistakes that plugins make.
import { Failed, Skip, contact, plugin, type Context, type Interpretation, type Item } from "./tidegate/index.js";

export function interpret(item: Item, ctx: Context): Interpretation {
    const webhook = item.read();
    // With a place of its own, which does not move with the glue.
    if (item.topic === "uncaught") throw Object.assign(new TypeError("boom"), { stack: "    at interpret (plugin.js:1:2)\n" });
    if (item.topic === "wrong-answer") {
        const id: any = 5;
        return { events: [{ kind: "order.updated", eventKey: "order", occurredAt: item.receivedAt, payload: { order: { id } } }] };
    }
    const base = `https://api.example.com/${ctx.settings.shop}`;
    const answer = ctx.fetch(`${base}/orders/${webhook.text("order_id")}`);
    if (answer.status === 404) throw new Skip("the order is gone");
    if (!answer.ok) throw new Failed(`the provider answered ${answer.status}`, { field: "/order_id", retry: true });
    const order = answer.read();
    const customer = ctx.fetch(`${base}/customers/${order.text("customer")}`).read();
    const seen = (ctx.state?.seen ?? 0) + 1;
    ctx.setState({ seen });
    ctx.log("info", "an order was read");
    const id = order.text("id");
    return {
        events: [
            {
                kind: "order.updated",
                eventKey: "order",
                occurredAt: order.instant("updated"),
                contact: contact({ phone: customer.maybeText("phone"), externalId: customer.text("id"), fields: { tier: "gold" } }),
                entity: { entityType: "order", id },
                payload: { order: { id, total: { amount: order.decimal("total"), currency: "EUR" }, note: order.maybeText("note") } },
                extra: { seen },
            },
        ],
        triggers: [{ name: "order-seen", eventKey: "order", variables: { times: seen } }],
    };
}

export const normalizer = plugin(interpret);
