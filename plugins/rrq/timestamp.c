/* SPDX-License-Identifier: Apache-2.0 */
#include "timestamp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

enum { DAY_SECONDS = 86400 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* count digits, from low to high. */
static bool take_number(const char **at, int count, int low, int high, int *ret) {
    int value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!is_digit(**at)) return false;
        value = value * 10 + (**at - '0');
    }
    *ret = value;
    return value >= low && value <= high;
}

static bool take(const char **at, char upper, char lower) {
    if (**at != upper && **at != lower) return false;
    (*at)++;
    return true;
}

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of(int year, int month) {
    static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970 on; years are counted from March, so that the day that is sometimes there is the last one. */
static int64_t days_since_1970(int year, int month, int day) {
    int64_t y = month > 2 ? year : year - 1;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

static bool take_fraction(const char **at, uint64_t *ret) {
    uint64_t unit = 100000000;
    *ret = 0;
    if (**at != '.') return true;
    (*at)++;
    if (!is_digit(**at)) return false;
    for (; is_digit(**at); (*at)++, unit /= 10) *ret += (uint64_t)(**at - '0') * unit;
    return true;
}

/* Z, or +hh:mm; in seconds. */
static bool take_offset(const char **at, int64_t *ret) {
    int hours, minutes;
    int64_t sign = **at == '-' ? -1 : 1;
    *ret = 0;
    if (take(at, 'Z', 'z')) return true;
    if (!take(at, '+', '-') || !take_number(at, 2, 0, 23, &hours) || !take(at, ':', ':') ||
        !take_number(at, 2, 0, 59, &minutes))
        return false;
    *ret = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool take_date(const char **at, int64_t *ret_days) {
    int year, month, day;
    if (!take_number(at, 4, 0, 9999, &year) || !take(at, '-', '-') || !take_number(at, 2, 1, 12, &month) ||
        !take(at, '-', '-') || !take_number(at, 2, 1, days_of(year, month), &day))
        return false;
    *ret_days = days_since_1970(year, month, day);
    return true;
}

static bool take_clock(const char **at, int64_t *ret_seconds) {
    int hour, minute, second;
    if (!take_number(at, 2, 0, 23, &hour) || !take(at, ':', ':') || !take_number(at, 2, 0, 59, &minute) ||
        !take(at, ':', ':') || !take_number(at, 2, 0, 60, &second))
        return false;
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return true;
}

int32_t pdk_rrq_time_parse(const char *text, uint64_t *ret) {
    int64_t days, seconds, offset;
    uint64_t fraction;
    if (!take_date(&text, &days) || (!take(&text, 'T', 't') && !take(&text, ' ', ' ')) ||
        !take_clock(&text, &seconds) || !take_fraction(&text, &fraction) || !take_offset(&text, &offset) || *text)
        return -EINVAL;
    seconds += days * DAY_SECONDS - offset;
    *ret = seconds < 0 ? 0 : seconds > INT64_MAX / 1000000000 ? INT64_MAX : (uint64_t)seconds * 1000000000 + fraction;
    return 0;
}

void pdk_rrq_time_print(uint64_t unix_ns, char *buf, size_t size) {
    time_t seconds = (time_t)(unix_ns / 1000000000);
    struct tm tm;
    char date[32] = "";
    if (gmtime_r(&seconds, &tm)) (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(buf, size, "%s.%09uZ", date, (unsigned)(unix_ns % 1000000000));
}
