/* Texts, decimals and instants. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glue.h"

enum { MAX_DIGITS = 28 };

void *tg_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    if (!memory) abort(); /* The host says that the plugin needs more memory than it may have. */
    return memory;
}

void *tg_grown(void *list, size_t count, size_t bytes)
{
    /* At 0, 1, 2, 4, 8, …: the room for twice as many. */
    if (count & (count - 1)) return list;
    char *room = tg_alloc((count ? 2 * count : 1) * bytes);
    if (count) memcpy(room, list, count * bytes);
    return room;
}

tg_text tg_copy(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = tg_alloc(len + 1);
    if (len) memcpy(copy, bytes, len);
    return (tg_text){.ptr = copy, .len = len};
}

tg_text tg_text_of(const char *text)
{
    return (tg_text){.ptr = (uint8_t *)text, .len = strlen(text)};
}

tg_text tg_vformat(const char *format, va_list values)
{
    va_list again;
    va_copy(again, values);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0) return tg_text_of("");
    char *text = tg_alloc((size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, values);
    return (tg_text){.ptr = (uint8_t *)text, .len = (size_t)len};
}

tg_text tg_format(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tg_text text = tg_vformat(format, values);
    va_end(values);
    return text;
}

const char *tg_c(tg_text text)
{
    return (const char *)tg_copy(text.ptr, text.len).ptr;
}

bool tg_is(tg_text text, const char *other)
{
    return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

tg_maybe_text tg_some(tg_text text)
{
    return (tg_maybe_text){.is_some = true, .val = text};
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

tg_text tg_trimmed(tg_text text)
{
    while (text.len && is_space(text.ptr[0])) text.ptr++, text.len--;
    while (text.len && is_space(text.ptr[text.len - 1])) text.len--;
    return text;
}

/* What a decimal says: its digits without zeros before them, and how many of them stand after the point. */
typedef struct {
    bool negative;
    char digits[MAX_DIGITS];
    int count;
    int scale;
} decimal;

static bool read_exponent(const uint8_t *at, const uint8_t *end, int *exponent)
{
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at == end || end - at > 4) return false;
    for (*exponent = 0; at < end; at++) {
        if (!is_digit(*at)) return false;
        *exponent = 10 * *exponent + (*at - '0');
    }
    if (negative) *exponent = -*exponent;
    return true;
}

static bool read_decimal(tg_text text, decimal *read)
{
    const uint8_t *at = text.ptr, *end = text.ptr + text.len;
    bool any = false, point = false;
    if (at < end && (*at == '-' || *at == '+')) read->negative = *at++ == '-';
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(*at)) return false;
        any = true;
        read->scale += point;
        if (read->count == 0 && *at == '0') continue;
        if (read->count == MAX_DIGITS) return false;
        read->digits[read->count++] = (char)*at;
    }
    int exponent = 0;
    if (!any || (at < end && !read_exponent(at + 1, end, &exponent))) return false;
    read->scale -= exponent;
    return read->scale <= MAX_DIGITS && read->count - (read->scale < 0 ? read->scale : 0) <= MAX_DIGITS;
}

tg_text tg_canonical_decimal(tg_text text)
{
    decimal read = {0};
    if (!read_decimal(tg_trimmed(text), &read)) return tg_text_of("");
    int zeros_after = read.scale < 0 && read.count ? -read.scale : 0, scale = read.scale < 0 ? 0 : read.scale;
    int total = read.count + zeros_after, padded = total > scale ? total : scale + 1;
    uint8_t *out = tg_alloc((size_t)padded + 3);
    size_t len = 0;
    if (read.negative && read.count) out[len++] = '-';
    for (int place = 0; place < padded; place++) {
        if (scale && place == padded - scale) out[len++] = '.';
        int digit = place - (padded - total);
        out[len++] = digit < 0 || digit >= read.count ? '0' : (uint8_t)read.digits[digit];
    }
    return (tg_text){.ptr = out, .len = len};
}

static int number(const uint8_t *digits, int count)
{
    int value = 0;
    for (int at = 0; at < count; at++) {
        if (!is_digit(digits[at])) return -1;
        value = 10 * value + (digits[at] - '0');
    }
    return value;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month < 1 || month > 12 ? 0 : days[month - 1] + (month == 2 && leap);
}

/* Unix seconds, or milliseconds when there are 12 digits or more. */
static tg_text from_unix(tg_text text)
{
    int64_t value = strtoll(tg_c(text), NULL, 10), magnitude = value < 0 ? -value : value;
    int64_t ms = magnitude < 100000000000 ? 1000 * value : value;
    int64_t days = ms / 86400000 - (ms % 86400000 < 0), in_day = ms - 86400000 * days;
    int year = 1970;
    for (; days < 0; days += 365 + (days_in(year, 2) == 29)) year--;
    for (; days >= 365 + (days_in(year, 2) == 29); year++) days -= 365 + (days_in(year, 2) == 29);
    if (year < 1 || year > 9999) return tg_text_of("");
    int month = 1;
    for (; days >= days_in(year, month); month++) days -= days_in(year, month);
    int seconds = (int)(in_day / 1000), fraction = (int)(in_day % 1000);
    tg_text whole = tg_format("%04d-%02d-%02dT%02d:%02d:%02d", year, month, (int)days + 1, seconds / 3600, seconds / 60 % 60, seconds % 60);
    return fraction ? tg_format("%s.%03dZ", tg_c(whole), fraction) : tg_format("%sZ", tg_c(whole));
}

/* `Z`, `+hh:mm` or `+hhmm` at the end: how many bytes, or 0. */
static size_t offset_length(tg_text text)
{
    const uint8_t *end = text.ptr + text.len;
    if (text.len > 19 && (end[-1] == 'Z' || end[-1] == 'z')) return 1;
    size_t len = text.len > 24 && end[-3] == ':' ? 6 : 5;
    if (text.len < 19 + len || (end[-len] != '+' && end[-len] != '-')) return 0;
    int hours = number(end - len + 1, 2), minutes = number(end - 2, 2);
    return hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59 ? len : 0;
}

static bool is_date_and_time(const uint8_t *at)
{
    int year = number(at, 4), month = number(at + 5, 2), day = number(at + 8, 2);
    int hour = number(at + 11, 2), minute = number(at + 14, 2), second = number(at + 17, 2);
    bool separated = at[4] == '-' && at[7] == '-' && at[13] == ':' && at[16] == ':' && (at[10] == 'T' || at[10] == 't' || at[10] == ' ');
    bool dated = year >= 1 && day >= 1 && day <= days_in(year, month);
    return separated && dated && hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 60;
}

tg_text tg_rfc3339(tg_text text)
{
    text = tg_trimmed(text);
    size_t sign = text.len && text.ptr[0] == '-';
    size_t digits = sign;
    while (digits < text.len && is_digit(text.ptr[digits])) digits++;
    if (digits == text.len && text.len > sign) return text.len - sign <= 15 ? from_unix(text) : tg_text_of("");
    size_t offset = offset_length(text);
    if (!offset || !is_date_and_time(text.ptr)) return tg_text_of("");
    size_t fraction = text.len - 19 - offset;
    if (fraction == 1 || (fraction && text.ptr[19] != '.')) return tg_text_of("");
    for (size_t at = 1; at < fraction; at++)
        if (!is_digit(text.ptr[19 + at])) return tg_text_of("");
    if (offset != 5) return text;
    return tg_format("%s:%s", tg_c((tg_text){.ptr = text.ptr, .len = text.len - 2}), tg_c((tg_text){.ptr = text.ptr + text.len - 2, .len = 2}));
}
