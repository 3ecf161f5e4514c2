/* What stands between `interpret` and the gateway's contract: answers from the provider, events, and how an item ends. */

#include "tidegate.h"

#include <string.h>
#include <strings.h>

#include "glue.h"

/* ---- How an item ends ---- */

static bool ends(tg_item *item, enum tg_end end)
{
    if (item->work->end != TG_DONE) return false;
    item->work->end = end;
    return true;
}

void tg_skip(tg_item *item, const char *format, ...)
{
    if (!ends(item, TG_SKIPPED)) return;
    va_list values;
    va_start(values, format);
    item->work->failure.reason = tg_vformat(format, values);
    va_end(values);
}

void tg_vfail(tg_item *item, tg_maybe_text field, bool retryable, const char *format, va_list values)
{
    if (!ends(item, TG_FAILED)) return;
    item->work->failure = (tg_failure){.field = field, .reason = tg_vformat(format, values), .retryable = retryable};
}

static tg_maybe_text maybe(const char *text)
{
    return text ? tg_some(tg_text_of(text)) : (tg_maybe_text){0};
}

void tg_fail(tg_item *item, const char *field, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tg_vfail(item, maybe(field), false, format, values);
    va_end(values);
}

void tg_fail_for_now(tg_item *item, const char *field, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tg_vfail(item, maybe(field), true, format, values);
    va_end(values);
}

/* ---- What a plugin reads ---- */

tg_reader tg_read(tg_item *item)
{
    return tg_parse(item, item->body, NULL);
}

tg_reader tg_settings(tg_item *item)
{
    return tg_parse(item, item->connection->settings, "the settings of the connection");
}

tg_reader tg_state(tg_item *item)
{
    const tg_maybe_text *state = &item->given->state;
    return state->is_some ? tg_parse(item, state->val, "the stored state") : tg_blank(item);
}

tg_maybe_text tg_header(const tg_item *item, const char *name)
{
    const tidegate_plugin_types_list_header_t *headers = &item->given->headers;
    for (size_t at = 0; at < headers->len; at++) {
        const tidegate_plugin_types_header_t *header = &headers->ptr[at];
        if (header->name.len == strlen(name) && !strncasecmp((const char *)header->name.ptr, name, header->name.len)) return tg_some(header->value);
    }
    return (tg_maybe_text){0};
}

/* ---- What a plugin says ---- */

tg_event *tg_add_event(tg_item *item, const char *kind, const char *key, tg_text occurred_at)
{
    tg_work *work = item->work;
    tg_event *event = tg_alloc(sizeof *event);
    *event = (tg_event){
        .event_key = tg_text_of(key),
        .kind = tg_text_of(kind),
        .occurred_at = occurred_at,
        .payload = TG_PAYLOAD(CUSTOM, custom, tg_text_of("{}")),
        .extra = tg_text_of("{}"),
    };
    work->events = tg_grown(work->events, work->event_count, sizeof *work->events);
    work->events[work->event_count++] = event;
    return event;
}

tg_contact_info *tg_contact(tg_event *event)
{
    return &event->contact.val;
}

static void add_key(tg_contact_info *contact, tg_contact_key key)
{
    contact->keys.ptr = tg_grown(contact->keys.ptr, contact->keys.len, sizeof *contact->keys.ptr);
    contact->keys.ptr[contact->keys.len++] = key;
}

static bool is_filled(tg_maybe_text text)
{
    return text.is_some && tg_trimmed(text.val).len > 0;
}

void tg_add_phone(tg_contact_info *contact, tg_maybe_text number, const char *region)
{
    if (!is_filled(number)) return;
    tg_phone phone = {.number = number.val, .region = maybe(region)};
    add_key(contact, (tg_contact_key){.tag = TIDEGATE_PLUGIN_TYPES_CONTACT_KEY_PHONE, .val = {.phone = phone}});
}

void tg_add_email(tg_contact_info *contact, tg_maybe_text address)
{
    if (is_filled(address)) add_key(contact, (tg_contact_key){.tag = TIDEGATE_PLUGIN_TYPES_CONTACT_KEY_EMAIL, .val = {.email = address.val}});
}

void tg_add_whatsapp_id(tg_contact_info *contact, tg_maybe_text id)
{
    if (is_filled(id)) add_key(contact, (tg_contact_key){.tag = TIDEGATE_PLUGIN_TYPES_CONTACT_KEY_WHATSAPP_ID, .val = {.whatsapp_id = id.val}});
}

void tg_add_external_id(tg_contact_info *contact, tg_maybe_text id)
{
    if (is_filled(id)) add_key(contact, (tg_contact_key){.tag = TIDEGATE_PLUGIN_TYPES_CONTACT_KEY_EXTERNAL_ID, .val = {.external_id = id.val}});
}

void tg_add_field(tg_contact_info *contact, const char *name, tg_maybe_text value)
{
    if (!is_filled(value)) return;
    contact->fields.ptr = tg_grown(contact->fields.ptr, contact->fields.len, sizeof *contact->fields.ptr);
    contact->fields.ptr[contact->fields.len++] = (tg_field){.name = tg_text_of(name), .value = value};
}

void tg_set_entity(tg_event *event, const char *type, tg_text id, tg_maybe_text version)
{
    event->entity.is_some = true;
    event->entity.val = (tg_entity){.entity_type = tg_text_of(type), .id = id, .version = version};
}

void tg_add_trigger(tg_item *item, const char *name, const char *event_key, tg_text variables)
{
    tg_work *work = item->work;
    work->triggers = tg_grown(work->triggers, work->trigger_count, sizeof *work->triggers);
    work->triggers[work->trigger_count++] = (tg_trigger){.name = tg_text_of(name), .event_key = tg_text_of(event_key), .variables = variables};
}

void tg_set_state(tg_item *item, tg_text state)
{
    item->work->state = tg_some(state);
}

/* ---- JSON to write ---- */

static tg_text quoted(tg_text text)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t *out = tg_alloc(6 * text.len + 2), *at = out;
    *at++ = '"';
    for (size_t place = 0; place < text.len; place++) {
        uint8_t c = text.ptr[place];
        if (c == '"' || c == '\\') *at++ = '\\';
        if (c >= 0x20) {
            *at++ = c;
            continue;
        }
        memcpy(at, "\\u00", 4);
        at[4] = (uint8_t)hex[c >> 4];
        at[5] = (uint8_t)hex[c & 15];
        at += 6;
    }
    *at++ = '"';
    return (tg_text){.ptr = out, .len = (size_t)(at - out)};
}

void tg_put(tg_object *object, const char *name, tg_text value)
{
    tg_put_raw(object, name, quoted(value));
}

void tg_put_raw(tg_object *object, const char *name, tg_text json)
{
    const char *before = object->len ? object->text : "", *comma = object->len ? "," : "";
    tg_text text = tg_format("%s%s%s:%s", before, comma, tg_c(quoted(tg_text_of(name))), tg_c(json));
    *object = (tg_object){.text = (char *)text.ptr, .len = text.len};
}

tg_text tg_written(const tg_object *object)
{
    return tg_format("{%s}", object->len ? object->text : "");
}

/* ---- What a plugin needs ---- */

tg_request tg_get(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tg_text url = tg_vformat(format, values);
    va_end(values);
    return (tg_request){.method = tg_text_of("GET"), .url = url};
}

tg_request tg_post_json(tg_text url, tg_text json)
{
    static tidegate_plugin_types_header_t header;
    header = (tidegate_plugin_types_header_t){.name = tg_text_of("content-type"), .value = tg_text_of("application/json")};
    return (tg_request){.method = tg_text_of("POST"), .url = url, .headers = {.ptr = &header, .len = 1}, .body = tg_some(json)};
}

static tg_answer answered(tg_item *item, const tidegate_plugin_types_answer_t *answer)
{
    if (answer->tag == TIDEGATE_PLUGIN_TYPES_ANSWER_FAILED) {
        tg_fail(item, NULL, "the provider gave no answer: %s", tg_c(answer->val.failed));
        return (tg_answer){.json = tg_blank(item)};
    }
    const tg_response *response = &answer->val.response;
    /* Read when it is asked for would be cheaper; but most answers are JSON, and a mistake must not fail one that is not. */
    bool json = response->body.len && strchr("{[", response->body.ptr[0]);
    tg_reader reader = json ? tg_parse(item, response->body, "the provider's answer") : tg_blank(item);
    return (tg_answer){.status = response->status, .body = response->body, .json = reader};
}

void tg_fetch_all(tg_item *item, const tg_request *requests, tg_answer *answers, size_t count)
{
    tg_work *work = item->work;
    /* What is asked after a blank answer may hang on it; and an item that has ended needs nothing. */
    bool waits = work->needed_count > 0 || work->end != TG_DONE;
    for (size_t at = 0; at < count; at++) {
        answers[at] = (tg_answer){.json = tg_blank(item)};
        if (waits) continue;
        size_t next = work->next_answer++;
        if (next < item->given->answers.len) {
            answers[at] = answered(item, &item->given->answers.ptr[next]);
            continue;
        }
        work->needed = tg_grown(work->needed, work->needed_count, sizeof *work->needed);
        work->needed[work->needed_count++] = requests[at];
    }
}

tg_answer tg_fetch(tg_item *item, tg_request request)
{
    tg_answer answer;
    tg_fetch_all(item, &request, &answer, 1);
    return answer;
}

void tg_log(tidegate_plugin_host_level_t level, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tg_text line = tg_vformat(format, values);
    va_end(values);
    tidegate_plugin_host_log(level, &line);
}

/* ---- The contract ---- */

static tg_done done(tg_work *work)
{
    tg_done done = {.triggers = {.ptr = work->triggers, .len = work->trigger_count}, .state = work->state};
    done.events.ptr = tg_alloc(work->event_count * sizeof *done.events.ptr);
    done.events.len = work->event_count;
    for (size_t at = 0; at < work->event_count; at++) {
        tg_event *event = work->events[at];
        event->contact.is_some = event->contact.val.keys.len > 0;
        done.events.ptr[at] = *event;
    }
    return done;
}

/* What was asked for wins: the plugin did not know all when it decided, whatever it made of that. */
static tg_outcome outcome(tg_work *work)
{
    if (work->needed_count) {
        return (tg_outcome){.tag = TIDEGATE_PLUGIN_TYPES_OUTCOME_NEED, .val = {.need = {.ptr = work->needed, .len = work->needed_count}}};
    }
    switch (work->end) {
    case TG_SKIPPED: return (tg_outcome){.tag = TIDEGATE_PLUGIN_TYPES_OUTCOME_SKIP, .val = {.skip = work->failure.reason}};
    case TG_FAILED: return (tg_outcome){.tag = TIDEGATE_PLUGIN_TYPES_OUTCOME_FAILED, .val = {.failed = work->failure}};
    default: return (tg_outcome){.tag = TIDEGATE_PLUGIN_TYPES_OUTCOME_DONE, .val = {.done = done(work)}};
    }
}

void exports_tidegate_plugin_normalizer_interpret(
    exports_tidegate_plugin_normalizer_connection_t *connection,
    exports_tidegate_plugin_normalizer_list_item_t *items,
    exports_tidegate_plugin_normalizer_list_outcome_t *outcomes)
{
    outcomes->ptr = tg_alloc(items->len * sizeof *outcomes->ptr);
    outcomes->len = items->len;
    for (size_t at = 0; at < items->len; at++) {
        const tidegate_plugin_types_item_t *given = &items->ptr[at];
        tg_item item = {
            .id = given->id,
            .topic = given->topic,
            .body = given->body,
            .received_at = given->received_at,
            .envelope = given->envelope,
            .given = given,
            .connection = connection,
            .work = tg_alloc(sizeof *item.work),
        };
        interpret(&item);
        outcomes->ptr[at] = outcome(item.work);
    }
}
