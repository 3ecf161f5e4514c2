/* What the files of the glue share. An author needs only tidegate.h. */
#ifndef TIDEGATE_GLUE_H
#define TIDEGATE_GLUE_H

#include "tidegate.h"

enum tg_kind { TG_BLANK, TG_NULL, TG_TRUE, TG_FALSE, TG_NUMBER, TG_STRING, TG_ARRAY, TG_OBJECT };

/* A value of a JSON text, and where it is. */
typedef struct tg_json {
    enum tg_kind kind;
    /* As it is written. */
    tg_text raw;
    /* Content of a string, digits of a number. */
    tg_text text;
    /* Elements of an array, members of an object. */
    struct tg_json **inside;
    size_t count;
    const struct tg_json *parent;
    /* Name in an object; without one it is an element. */
    tg_maybe_text key;
    size_t place;
    /* What the text is, when it is not the item's body. */
    const char *what;
} tg_json;

/* How an item ends; the first reason counts. */
enum tg_end { TG_DONE, TG_SKIPPED, TG_FAILED };

typedef struct tg_work {
    enum tg_end end;
    tg_failure failure;
    tg_event **events;
    size_t event_count;
    tg_trigger *triggers;
    size_t trigger_count;
    tg_maybe_text state;
    tg_request *needed;
    size_t needed_count;
    size_t next_answer;
} tg_work;

/* Reads JSON; a mistake fails the item. */
tg_reader tg_parse(tg_item *item, tg_text text, const char *what);
tg_reader tg_blank(tg_item *item);

tg_text tg_copy(const uint8_t *bytes, size_t len);
tg_text tg_vformat(const char *format, va_list values);
tg_text tg_trimmed(tg_text text);
/* Without characters when the text is none. */
tg_text tg_canonical_decimal(tg_text text);
tg_text tg_rfc3339(tg_text text);
/* Makes room for one more, of so many bytes. */
void *tg_grown(void *list, size_t count, size_t bytes);
void tg_vfail(tg_item *item, tg_maybe_text field, bool retryable, const char *format, va_list values);

#endif
