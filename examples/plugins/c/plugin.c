/* Generic shop: its order webhooks become events. */

#include "tidegate/tidegate.h"

static tg_option_money money(tg_text amount, tg_text currency)
{
    return (tg_option_money){.is_some = true, .val = {.amount = amount, .currency = currency}};
}

static tg_list_line_item lines(tg_reader order, tg_text currency)
{
    tg_reader items = tg_each(order, "items");
    tg_list_line_item lines = TG_LIST(lines, tg_length(items));
    for (size_t at = 0; at < lines.len; at++) {
        tg_reader line = tg_element(items, at);
        lines.ptr[at] = (tg_line_item){
            .sku = tg_get_maybe_text(line, "sku"),
            .title = tg_get_text(line, "title"),
            .quantity = tg_get_decimal(line, "quantity"),
            .price = money(tg_get_decimal(line, "price"), currency),
        };
    }
    return lines;
}

/* A value that is not as it should be fails the item, with its pointer; what is read after that is blank. */
void interpret(tg_item *item)
{
    const char *kind = tg_is(item->topic, "order.created")     ? "order.placed"
                       : tg_is(item->topic, "order.cancelled") ? "order.cancelled"
                                                               : NULL;
    if (!kind) {
        tg_skip(item, "%s means nothing for messages", tg_c(item->topic));
        return;
    }
    tg_reader webhook = tg_read(item);
    tg_reader order = tg_at(webhook, "order");
    tg_text id = tg_get_text(order, "id"), currency = tg_get_text(order, "currency");
    tg_text sent_at = tg_get_instant(webhook, "sent_at");

    tg_event *event = tg_add_event(item, kind, "order", sent_at);
    tg_contact_info *customer = tg_contact(event);
    customer->name = tg_get_maybe_text(order, "name");
    tg_add_phone(customer, tg_get_maybe_text(order, "phone"), NULL);
    tg_add_email(customer, tg_get_maybe_text(order, "email"));
    tg_set_entity(event, "order", id, tg_some(sent_at));
    event->payload = TG_PAYLOAD(ORDER, order, {
        .id = id,
        .number = tg_get_maybe_text(order, "number"),
        .total = money(tg_get_decimal(order, "total"), currency),
        .items = lines(order, currency),
    });
}
