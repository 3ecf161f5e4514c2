// Generic shop: its order webhooks become events.
import { Skip, contact, plugin } from "./tidegate/index.js";

/** @type {Record<string, string>} */
const KINDS = { "order.created": "order.placed", "order.cancelled": "order.cancelled" };

/** @type {import("./tidegate/index.js").Interpret} */
export function interpret(item) {
    const kind = KINDS[item.topic];
    if (!kind) throw new Skip(`${item.topic} means nothing for messages`);
    const webhook = item.read();
    const order = webhook.at("order");
    const sentAt = webhook.instant("sent_at");
    const currency = order.text("currency");
    return {
        kind,
        eventKey: "order",
        occurredAt: sentAt,
        contact: contact({
            name: order.maybeText("name"),
            phone: order.maybeText("phone"),
            email: order.maybeText("email"),
        }),
        entity: { entityType: "order", id: order.text("id"), version: sentAt },
        payload: {
            order: {
                id: order.text("id"),
                number: order.maybeText("number"),
                total: { amount: order.decimal("total"), currency },
                items: order.each("items").map((line) => ({
                    sku: line.maybeText("sku"),
                    title: line.text("title"),
                    quantity: line.decimal("quantity"),
                    price: { amount: line.decimal("price"), currency },
                })),
            },
        },
    };
}

export const normalizer = plugin(interpret);
