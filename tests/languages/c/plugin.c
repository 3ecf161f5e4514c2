/* Reads an order and its customer from the provider, and counts how often it saw the order. */

#include <stdlib.h>

#include "tidegate/tidegate.h"

void interpret(tg_item *item)
{
    tg_reader webhook = tg_read(item);
    const char *base = tg_c(tg_format("https://api.example.com/%s", tg_c(tg_get_text(tg_settings(item), "shop"))));
    tg_answer answer = tg_fetch(item, tg_get("%s/orders/%s", base, tg_c(tg_get_text(webhook, "order_id"))));
    if (answer.status == 404) tg_skip(item, "the order is gone");
    if (answer.status >= 300) tg_fail_for_now(item, "/order_id", "the provider answered %u", answer.status);
    tg_reader order = answer.json;
    tg_reader customer = tg_fetch(item, tg_get("%s/customers/%s", base, tg_c(tg_get_text(order, "customer")))).json;
    tg_reader state = tg_state(item);
    int seen = 1 + (tg_is_blank(state) ? 0 : atoi(tg_c(tg_get_text(state, "seen"))));
    tg_text times = tg_format("%d", seen), id = tg_get_text(order, "id");
    tg_object kept = {0}, variables = {0};
    tg_put_raw(&kept, "seen", times);
    tg_put_raw(&variables, "times", times);
    tg_set_state(item, tg_written(&kept));
    tg_log(TIDEGATE_PLUGIN_HOST_LEVEL_INFO, "an order was read");

    tg_event *event = tg_add_event(item, "order.updated", "order", tg_get_instant(order, "updated"));
    tg_add_phone(tg_contact(event), tg_get_maybe_text(customer, "phone"), NULL);
    tg_add_external_id(tg_contact(event), tg_some(tg_get_text(customer, "id")));
    tg_add_field(tg_contact(event), "tier", tg_some(tg_text_of("gold")));
    tg_set_entity(event, "order", id, (tg_maybe_text){0});
    event->payload = TG_PAYLOAD(ORDER, order, {
        .id = id,
        .total = {.is_some = true, .val = {.amount = tg_get_decimal(order, "total"), .currency = tg_text_of("EUR")}},
        .note = tg_get_maybe_text(order, "note"),
    });
    event->extra = tg_written(&kept);
    tg_add_trigger(item, "order-seen", "order", tg_written(&variables));
}
