/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "paddock/host.h"

enum { TIME_SIZE = ARC_TIME_SIZE, DAY_SECONDS = 86400 };

#define SECOND UINT64_C(1000000000)

/* ---- time ---- */

static void put_digits(char *at, uint64_t number, size_t count) {
    for (; count--; number /= 10) at[count] = (char)('0' + number % 10);
}

static bool take_digits(const char *at, size_t count, uint64_t *ret) {
    *ret = 0;
    for (size_t i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9') return false;
        *ret = *ret * 10 + (uint64_t)(at[i] - '0');
    }
    return true;
}

void arc_record_time(char *at, uint64_t unix_ns) {
    time_t seconds = (time_t)(unix_ns / SECOND);
    struct tm tm;
    memcpy(at, "0000-00-00T00:00:00.000000000Z", TIME_SIZE);
    if (!gmtime_r(&seconds, &tm)) return;
    put_digits(at, (uint64_t)tm.tm_year + 1900, 4);
    put_digits(at + 5, (uint64_t)tm.tm_mon + 1, 2);
    put_digits(at + 8, (uint64_t)tm.tm_mday, 2);
    put_digits(at + 11, (uint64_t)tm.tm_hour, 2);
    put_digits(at + 14, (uint64_t)tm.tm_min, 2);
    put_digits(at + 17, (uint64_t)tm.tm_sec, 2);
    put_digits(at + 20, unix_ns % SECOND, 9);
}

/* Days from 1970 on, by the calendar that counts the year from March. */
static uint64_t days_of(uint64_t year, uint64_t month, uint64_t day) {
    uint64_t y = year - (month <= 2), of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

static bool take_time(const char *at, uint64_t *ret) {
    static const struct {
        uint8_t place, count, least, most;
    } parts[] = {{5, 2, 1, 12}, {8, 2, 1, 31}, {11, 2, 0, 23}, {14, 2, 0, 59}, {17, 2, 0, 60}};
    uint64_t year, of[5], nanoseconds;
    if (!take_digits(at, 4, &year) || year < 1970 || year > 2500 || !take_digits(at + 20, 9, &nanoseconds))
        return false;
    for (size_t i = 0; i < 5; i++)
        if (!take_digits(at + parts[i].place, parts[i].count, &of[i]) || of[i] < parts[i].least ||
            of[i] > parts[i].most)
            return false;
    if (at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':' || at[19] != '.' ||
        at[29] != 'Z')
        return false;
    *ret = (days_of(year, of[0], of[1]) * DAY_SECONDS + of[2] * 3600 + of[3] * 60 + of[4]) * SECOND + nanoseconds;
    return true;
}

/* ---- records ---- */

static bool take_lost(const char *at, size_t size, uint64_t *ret) {
    return size >= 2 && size <= 20 && take_digits(at, size - 1, ret) && *ret > 0 && *ret <= INT64_MAX;
}

bool arc_record_parse(const char *line, size_t size, struct arc_record *ret) {
    static const char out[] = " stdout ", err[] = " stderr ", lost[] = " - L ";
    const char *at = line + TIME_SIZE;
    size_t left = size - TIME_SIZE, word = sizeof out - 1;
    *ret = (struct arc_record){.data = ""};
    if (size > ARC_LINE_MAX || size < TIME_SIZE + sizeof lost || line[size - 1] != '\n') return false;
    if (!take_time(line, &ret->unix_ns)) return false;
    if (!memcmp(at, lost, sizeof lost - 1))
        return take_lost(at + sizeof lost - 1, left - (sizeof lost - 1), &ret->lost);
    if (left < word + 3) return false;
    ret->stream = !memcmp(at, out, word) ? PDK_STDOUT : !memcmp(at, err, word) ? PDK_STDERR : 0;
    ret->whole = at[word] == 'F';
    if (!ret->stream || (!ret->whole && at[word] != 'P') || at[word + 1] != ' ') return false;
    ret->data = at + word + 2;
    ret->size = left - word - 2 - !ret->whole;
    return ret->size > 0;
}

size_t arc_record_head(char *buf, uint64_t unix_ns, int32_t stream, size_t *ret_tag) {
    arc_record_time(buf, unix_ns);
    memcpy(buf + TIME_SIZE, stream == PDK_STDERR ? " stderr P " : " stdout P ", 11);
    *ret_tag = TIME_SIZE + 8;
    return TIME_SIZE + 10;
}

size_t arc_record_lost(char *buf, size_t size, uint64_t unix_ns, uint64_t lost) {
    arc_record_time(buf, unix_ns);
    return TIME_SIZE + (size_t)snprintf(buf + TIME_SIZE, size - TIME_SIZE, " - L %llu\n", (unsigned long long)lost);
}
