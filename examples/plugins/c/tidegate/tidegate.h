/* What a plugin has at hand. The records are in contract.h, as tg_order, tg_line_item, …; what is left out of an initialiser is absent.
 *
 * Nothing is ever freed: an instance lives for one call. Nothing needs a check for errors either: the first value that is not as it should be fails the item, with its
 * JSON pointer, and what is read after that is blank. */
#ifndef TIDEGATE_H
#define TIDEGATE_H

#include <stdarg.h>

#include "contract.h"

typedef contract_string_t tg_text;
typedef contract_option_string_t tg_maybe_text;
typedef contract_list_string_t tg_list_text;
typedef tidegate_plugin_types_option_money_t tg_option_money;
typedef tidegate_plugin_types_option_address_t tg_option_address;
typedef tidegate_plugin_types_option_media_t tg_option_media;
typedef tidegate_plugin_types_option_referral_t tg_option_referral;
typedef tidegate_plugin_types_option_pricing_t tg_option_pricing;
typedef tidegate_plugin_types_list_line_item_t tg_list_line_item;
typedef tidegate_plugin_types_list_field_t tg_list_field;

/* What the author writes: it turns one item into what happened. It must depend on the item alone: the gateway may call it again, and compares. */
struct tg_item;
void interpret(struct tg_item *item);

/* The unit of interpretation: one part of a delivery, often all of it. */
typedef struct tg_item {
    tg_text id;
    tg_text topic;
    tg_text body;
    tg_text received_at;
    tg_maybe_text envelope;
    /* The rest is the glue's. */
    const tidegate_plugin_types_item_t *given;
    const tg_connection *connection;
    struct tg_work *work;
} tg_item;

/* Texts. Those of tg_format and tg_c end with a zero byte. */
tg_text tg_text_of(const char *text);
tg_text tg_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *tg_c(tg_text text);
bool tg_is(tg_text text, const char *other);
tg_maybe_text tg_some(tg_text text);

/* How an item ends when it is no event. `field` is a JSON pointer, or NULL. */
void tg_skip(tg_item *item, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tg_fail(tg_item *item, const char *field, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* As tg_fail, and the gateway tries again later. */
void tg_fail_for_now(tg_item *item, const char *field, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A place in a JSON text; blank when there is nothing. */
typedef struct tg_reader {
    tg_item *item;
    const struct tg_json *json;
} tg_reader;

tg_reader tg_read(tg_item *item);
tg_reader tg_settings(tg_item *item);
/* What was last kept under the item's state key; blank the first time. */
tg_reader tg_state(tg_item *item);
bool tg_is_blank(tg_reader reader);

/* The object under a key. */
tg_reader tg_at(tg_reader reader, const char *key);
tg_reader tg_maybe_at(tg_reader reader, const char *key);
/* The array under a key, empty when it is absent; its length and its elements. */
tg_reader tg_each(tg_reader reader, const char *key);
size_t tg_length(tg_reader array);
tg_reader tg_element(tg_reader array, size_t place);

/* A string, or the digits of a number. */
tg_text tg_get_text(tg_reader reader, const char *key);
/* Absent also when it is null or blank. */
tg_maybe_text tg_get_maybe_text(tg_reader reader, const char *key);
/* A decimal from a string or a number, its digits as they are. */
tg_text tg_get_decimal(tg_reader reader, const char *key);
tg_maybe_text tg_get_maybe_decimal(tg_reader reader, const char *key);
/* RFC 3339 text, from that or from unix time. */
tg_text tg_get_instant(tg_reader reader, const char *key);
tg_maybe_text tg_get_maybe_instant(tg_reader reader, const char *key);
bool tg_get_flag(tg_reader reader, const char *key);
/* The JSON text of this value. */
tg_text tg_raw(tg_reader reader);
/* Fails the item because of the value under a key. */
void tg_fail_at(tg_reader reader, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A header's value; the name in any case. */
tg_maybe_text tg_header(const tg_item *item, const char *name);

/* Zeroed memory, and a list of so many elements. */
void *tg_alloc(size_t bytes);
#define TG_LIST(list, length) {.ptr = tg_alloc((length) * sizeof *(list).ptr), .len = (length)}

/* Adds what happened. `key` tells it from the other events of the same item. */
tg_event *tg_add_event(tg_item *item, const char *kind, const char *key, tg_text occurred_at);
/* Whose it is. Without a phone, an email or an id it is nobody's. */
tg_contact_info *tg_contact(tg_event *event);
/* `region` is the country to assume when the number has no country code, or NULL. */
void tg_add_phone(tg_contact_info *contact, tg_maybe_text number, const char *region);
void tg_add_email(tg_contact_info *contact, tg_maybe_text address);
void tg_add_whatsapp_id(tg_contact_info *contact, tg_maybe_text id);
void tg_add_external_id(tg_contact_info *contact, tg_maybe_text id);
void tg_add_field(tg_contact_info *contact, const char *name, tg_maybe_text value);
void tg_set_entity(tg_event *event, const char *type, tg_text id, tg_maybe_text version);
/* TG_PAYLOAD(ORDER, order, {.id = id, …}): the case in capitals, its name in the contract, the record. */
#define TG_PAYLOAD(CASE, name, ...) \
    ((tg_payload){.tag = TIDEGATE_PLUGIN_TYPES_PAYLOAD_##CASE, .val = {.name = __VA_ARGS__}})

/* A signal for flows, about the event with this key. `variables` is a JSON object. */
void tg_add_trigger(tg_item *item, const char *name, const char *event_key, tg_text variables);
/* Keeps a new state, in the commit that stores the events. */
void tg_set_state(tg_item *item, tg_text state);

/* A JSON object to write: for `extra`, variables, the state and custom payloads. Begins as {0}. */
typedef struct tg_object {
    char *text;
    size_t len;
} tg_object;
void tg_put(tg_object *object, const char *name, tg_text value);
/* `json` is put as it is: a number, true, another object. */
void tg_put_raw(tg_object *object, const char *name, tg_text json);
tg_text tg_written(const tg_object *object);

/* Reads from the provider; any status is an answer. The gateway makes the request (only to granted hosts, with the connection's credentials) and calls interpret again with
 * the answer: what comes before must depend on nothing but the item. Until then the answer has the status 0, and what the plugin makes of it is thrown away. */
typedef struct tg_answer {
    unsigned status;
    tg_text body;
    tg_reader json;
} tg_answer;
tg_answer tg_fetch(tg_item *item, tg_request request);
/* Several at once, which do not depend on each other. */
void tg_fetch_all(tg_item *item, const tg_request *requests, tg_answer *answers, size_t count);
tg_request tg_get(const char *format, ...) __attribute__((format(printf, 1, 2)));
tg_request tg_post_json(tg_text url, tg_text json);

/* Writes a line to the gateway's log. Never log personal data. */
void tg_log(tidegate_plugin_host_level_t level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
