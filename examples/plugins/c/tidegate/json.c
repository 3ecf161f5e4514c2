/* Reading JSON with errors that name the field. */

#include <string.h>

#include "glue.h"

enum { MAX_DEPTH = 128 };

typedef struct {
    const uint8_t *start, *at, *end;
    const char *mistake;
    int depth;
} parser;

static bool value(parser *p, tg_json *json);

static void spaces(parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r')) p->at++;
}

static bool wrong(parser *p, const char *mistake)
{
    if (!p->mistake) p->mistake = mistake;
    return false;
}

static bool next_is(parser *p, uint8_t wanted)
{
    spaces(p);
    if (p->at == p->end || *p->at != wanted) return false;
    p->at++;
    return true;
}

static int hex4(const parser *p, const uint8_t *at)
{
    int code = 0;
    if (p->end - at < 4) return -1;
    for (int place = 0; place < 4; place++) {
        uint8_t c = at[place], low = c | 0x20;
        int digit = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
        if (digit < 0) return -1;
        code = 16 * code + digit;
    }
    return code;
}

static uint8_t *put_utf8(uint8_t *out, int code)
{
    if (code < 0x80) *out++ = (uint8_t)code;
    else if (code < 0x800) *out++ = (uint8_t)(0xc0 | code >> 6), *out++ = (uint8_t)(0x80 | (code & 63));
    else if (code < 0x10000)
        *out++ = (uint8_t)(0xe0 | code >> 12), *out++ = (uint8_t)(0x80 | (code >> 6 & 63)), *out++ = (uint8_t)(0x80 | (code & 63));
    else {
        *out++ = (uint8_t)(0xf0 | code >> 18), *out++ = (uint8_t)(0x80 | (code >> 12 & 63));
        *out++ = (uint8_t)(0x80 | (code >> 6 & 63)), *out++ = (uint8_t)(0x80 | (code & 63));
    }
    return out;
}

/* Behind `\u`. Half of a pair becomes the replacement character. */
static uint8_t *unicode(parser *p, uint8_t *out)
{
    int code = hex4(p, p->at);
    if (code < 0) return wrong(p, "a broken escape"), out;
    p->at += 4;
    if (code >= 0xd800 && code < 0xdc00 && p->end - p->at > 1 && p->at[0] == '\\' && p->at[1] == 'u') {
        int low = hex4(p, p->at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            p->at += 6;
            return put_utf8(out, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
        }
    }
    return put_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
}

static uint8_t *escape(parser *p, uint8_t *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint8_t c = p->at < p->end ? *p->at++ : 0;
    if (c == 'u') return unicode(p, out);
    const char *known = c ? strchr(from, c) : NULL;
    if (!known) return wrong(p, "a broken escape"), out;
    *out++ = (uint8_t)to[known - from];
    return out;
}

/* Behind the quote. */
static bool string(parser *p, tg_text *text)
{
    const uint8_t *start = p->at;
    while (p->at < p->end && *p->at != '"' && *p->at != '\\' && *p->at >= 0x20) p->at++;
    if (p->at < p->end && *p->at == '"') {
        *text = (tg_text){.ptr = (uint8_t *)start, .len = (size_t)(p->at++ - start)};
        return true;
    }
    const uint8_t *last = p->at;
    while (last < p->end && *last != '"') last += *last == '\\' ? 2 : 1;
    if (last >= p->end) return wrong(p, "a string without an end");
    uint8_t *begin = tg_alloc((size_t)(last - start) + 1), *out = begin + (p->at - start);
    memcpy(begin, start, (size_t)(p->at - start));
    while (*p->at != '"' && !p->mistake) {
        uint8_t c = *p->at++;
        if (c < 0x20) return wrong(p, "a control character in a string");
        if (c == '\\') out = escape(p, out);
        else *out++ = c;
    }
    p->at++;
    *text = (tg_text){.ptr = begin, .len = (size_t)(out - begin)};
    return !p->mistake;
}

static size_t digits(parser *p)
{
    const uint8_t *start = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9') p->at++;
    return (size_t)(p->at - start);
}

static bool number(parser *p, tg_json *json)
{
    const uint8_t *start = p->at;
    if (*p->at == '-') p->at++;
    bool zero = p->at < p->end && *p->at == '0';
    size_t whole = digits(p);
    if (whole == 0 || (zero && whole > 1)) return wrong(p, "a number that is none");
    if (p->at < p->end && *p->at == '.' && (p->at++, digits(p) == 0)) return wrong(p, "a number that is none");
    if (p->at < p->end && (*p->at | 0x20) == 'e') {
        p->at++;
        if (p->at < p->end && (*p->at == '-' || *p->at == '+')) p->at++;
        if (digits(p) == 0) return wrong(p, "a number that is none");
    }
    json->kind = TG_NUMBER;
    json->text = (tg_text){.ptr = (uint8_t *)start, .len = (size_t)(p->at - start)};
    return true;
}

static bool word(parser *p, tg_json *json, const char *text, enum tg_kind kind)
{
    size_t len = strlen(text);
    if ((size_t)(p->end - p->at) < len || memcmp(p->at, text, len)) return wrong(p, "a value that is none");
    p->at += len;
    json->kind = kind;
    return true;
}

/* Behind the bracket. */
static bool inside(parser *p, tg_json *json, uint8_t close)
{
    if (next_is(p, close)) return true;
    do {
        tg_json *one = tg_alloc(sizeof *one);
        one->parent = json;
        one->what = json->what;
        one->place = json->count;
        if (json->kind == TG_OBJECT) {
            if (!next_is(p, '"')) return wrong(p, "no name of a field");
            one->key.is_some = true;
            if (!string(p, &one->key.val)) return false;
            if (!next_is(p, ':')) return wrong(p, "no `:` behind a name");
        }
        if (!value(p, one)) return false;
        json->inside = tg_grown(json->inside, json->count, sizeof *json->inside);
        json->inside[json->count++] = one;
    } while (next_is(p, ','));
    return next_is(p, close) || wrong(p, "no end of an object or array");
}

static bool value(parser *p, tg_json *json)
{
    spaces(p);
    const uint8_t *start = p->at;
    if (p->at == p->end) return wrong(p, "its end");
    if (++p->depth > MAX_DEPTH) return wrong(p, "values too deep in each other");
    bool good;
    switch (*p->at) {
    case '{':
    case '[':
        json->kind = *p->at == '{' ? TG_OBJECT : TG_ARRAY;
        good = inside((p->at++, p), json, json->kind == TG_OBJECT ? '}' : ']');
        break;
    case '"':
        json->kind = TG_STRING;
        good = string((p->at++, p), &json->text);
        break;
    case 't': good = word(p, json, "true", TG_TRUE); break;
    case 'f': good = word(p, json, "false", TG_FALSE); break;
    case 'n': good = word(p, json, "null", TG_NULL); break;
    default: good = number(p, json);
    }
    p->depth--;
    json->raw = (tg_text){.ptr = (uint8_t *)start, .len = (size_t)(p->at - start)};
    return good;
}

tg_reader tg_blank(tg_item *item)
{
    static const tg_json blank;
    return (tg_reader){.item = item, .json = &blank};
}

tg_reader tg_parse(tg_item *item, tg_text text, const char *what)
{
    parser p = {.start = text.ptr, .at = text.ptr, .end = text.ptr + text.len};
    tg_json *json = tg_alloc(sizeof *json);
    json->what = what;
    if (value(&p, json) && (spaces(&p), p.at == p.end)) return (tg_reader){.item = item, .json = json};
    if (p.at < p.end && !p.mistake) p.mistake = "more behind it";
    tg_fail(item, NULL, "%s%sexpected JSON, found %s at byte %d", what ? what : "", what ? ": " : "", p.mistake, (int)(p.at - p.start));
    return tg_blank(item);
}

bool tg_is_blank(tg_reader reader)
{
    return reader.json->kind == TG_BLANK;
}

/* The JSON pointer to a value. */
static tg_text pointer_of(const tg_json *json)
{
    if (!json->parent) return tg_text_of("");
    const char *above = tg_c(pointer_of(json->parent));
    if (!json->key.is_some) return tg_format("%s/%zu", above, json->place);
    uint8_t *token = tg_alloc(2 * json->key.val.len + 1), *out = token;
    for (size_t at = 0; at < json->key.val.len; at++) {
        uint8_t c = json->key.val.ptr[at];
        *out++ = c == '~' || c == '/' ? '~' : c;
        if (c == '~' || c == '/') *out++ = c == '~' ? '0' : '1';
    }
    return tg_format("%s/%s", above, (const char *)token);
}

/* A mistake in a text other than the body has no field in the item, so it goes into the reason. */
static void vfail_at(tg_reader reader, const char *format, va_list values)
{
    tg_text pointer = pointer_of(reader.json);
    if (reader.json->what) {
        tg_fail(reader.item, NULL, "%s, %s: %s", reader.json->what, pointer.len ? tg_c(pointer) : "/", tg_c(tg_vformat(format, values)));
    } else {
        tg_vfail(reader.item, (tg_maybe_text){.is_some = pointer.len > 0, .val = pointer}, false, format, values);
    }
}

__attribute__((format(printf, 2, 3))) static void fail_here(tg_reader reader, const char *format, ...)
{
    if (tg_is_blank(reader)) return;
    va_list values;
    va_start(values, format);
    vfail_at(reader, format, values);
    va_end(values);
}

static const char *found(const tg_json *json)
{
    switch (json->kind) {
    case TG_OBJECT: return "an object";
    case TG_ARRAY: return "an array";
    case TG_NULL: return "null";
    case TG_TRUE:
    case TG_FALSE: return "a boolean";
    default: return json->raw.len <= 40 ? tg_c(json->raw) : "a long text";
    }
}

static void expected(tg_reader reader, const char *what)
{
    fail_here(reader, "expected %s, found %s", what, found(reader.json));
}

/* The value under a key; blank when it is absent. */
static tg_reader below(tg_reader reader, const char *key)
{
    const tg_json *json = reader.json;
    for (size_t at = 0; json->kind == TG_OBJECT && at < json->count; at++)
        if (tg_is(json->inside[at]->key.val, key)) return (tg_reader){.item = reader.item, .json = json->inside[at]};
    return tg_blank(reader.item);
}

static bool is_absent(tg_reader reader)
{
    return reader.json->kind == TG_BLANK || reader.json->kind == TG_NULL;
}

static tg_reader required(tg_reader reader, const char *key)
{
    tg_reader there = below(reader, key);
    if (!tg_is_blank(there)) return there;
    if (reader.json->kind == TG_OBJECT) fail_here(reader, "missing field `%s`", key);
    else expected(reader, "an object");
    return there;
}

static tg_reader of_kind(tg_reader reader, enum tg_kind kind, const char *what)
{
    if (reader.json->kind == kind || tg_is_blank(reader)) return reader;
    expected(reader, what);
    return tg_blank(reader.item);
}

void tg_fail_at(tg_reader reader, const char *key, const char *format, ...)
{
    tg_reader there = below(reader, key);
    va_list values;
    va_start(values, format);
    vfail_at(tg_is_blank(there) ? reader : there, format, values);
    va_end(values);
}

tg_reader tg_at(tg_reader reader, const char *key)
{
    return of_kind(required(reader, key), TG_OBJECT, "an object");
}

tg_reader tg_maybe_at(tg_reader reader, const char *key)
{
    tg_reader there = below(reader, key);
    return is_absent(there) ? tg_blank(reader.item) : of_kind(there, TG_OBJECT, "an object");
}

tg_reader tg_each(tg_reader reader, const char *key)
{
    tg_reader there = below(reader, key);
    return is_absent(there) ? tg_blank(reader.item) : of_kind(there, TG_ARRAY, "an array");
}

size_t tg_length(tg_reader array)
{
    return array.json->kind == TG_ARRAY ? array.json->count : 0;
}

tg_reader tg_element(tg_reader array, size_t place)
{
    if (place >= tg_length(array)) return tg_blank(array.item);
    return (tg_reader){.item = array.item, .json = array.json->inside[place]};
}

static tg_text content(tg_reader reader, const char *what)
{
    if (reader.json->kind != TG_STRING && reader.json->kind != TG_NUMBER) expected(reader, what);
    return reader.json->text;
}

tg_text tg_get_text(tg_reader reader, const char *key)
{
    return content(required(reader, key), "a string or a number");
}

tg_maybe_text tg_get_maybe_text(tg_reader reader, const char *key)
{
    tg_reader there = below(reader, key);
    tg_text text = is_absent(there) ? tg_text_of("") : tg_trimmed(content(there, "a string or a number"));
    return (tg_maybe_text){.is_some = text.len > 0, .val = text};
}

static tg_text converted(tg_reader there, tg_text (*convert)(tg_text), const char *what)
{
    tg_text text = content(there, what), read = text.ptr ? convert(text) : text;
    if (text.ptr && !read.len) expected(there, what);
    return read;
}

static tg_text decimal_of(tg_reader there)
{
    return converted(there, tg_canonical_decimal, "a decimal such as -10.00");
}

static tg_text instant_of(tg_reader there)
{
    return converted(there, tg_rfc3339, "an instant such as 2026-03-30T14:30:00Z (RFC 3339 with an offset, or unix time)");
}

tg_text tg_get_decimal(tg_reader reader, const char *key)
{
    return decimal_of(required(reader, key));
}

tg_maybe_text tg_get_maybe_decimal(tg_reader reader, const char *key)
{
    tg_reader there = below(reader, key);
    return is_absent(there) ? (tg_maybe_text){0} : tg_some(decimal_of(there));
}

tg_text tg_get_instant(tg_reader reader, const char *key)
{
    return instant_of(required(reader, key));
}

tg_maybe_text tg_get_maybe_instant(tg_reader reader, const char *key)
{
    tg_reader there = below(reader, key);
    return is_absent(there) ? (tg_maybe_text){0} : tg_some(instant_of(there));
}

bool tg_get_flag(tg_reader reader, const char *key)
{
    tg_reader there = required(reader, key);
    if (there.json->kind != TG_TRUE && there.json->kind != TG_FALSE) expected(there, "true or false");
    return there.json->kind == TG_TRUE;
}

tg_text tg_raw(tg_reader reader)
{
    return reader.json->raw;
}
