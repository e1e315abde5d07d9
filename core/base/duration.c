/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/clock.h"
#include "core/base/quantity.h"
#include "core/base/text.h"

#define DURATION_MAX (3650 * PDK_DAY)

enum { UNIT_DAY, UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND, UNIT_MS, UNIT_US, UNIT_NS, UNITS };

/* From large to small, as they must be written. */
static const struct {
    const char *name;
    uint64_t ns;
} units[UNITS] = {{"d", PDK_DAY},          {"h", PDK_HOUR},         {"m", PDK_MINUTE}, {"s", PDK_SECOND},
                  {"ms", PDK_MILLISECOND}, {"us", PDK_MICROSECOND}, {"ns", 1}};

/* What people write who have other programs' units in their fingers. */
static const struct {
    const char *name;
    uint64_t ns;
} habits[] = {
    {"d", PDK_DAY},
    {"day", PDK_DAY},
    {"days", PDK_DAY},
    {"w", 7 * PDK_DAY},
    {"week", 7 * PDK_DAY},
    {"weeks", 7 * PDK_DAY},
    {"h", PDK_HOUR},
    {"hr", PDK_HOUR},
    {"hrs", PDK_HOUR},
    {"hour", PDK_HOUR},
    {"hours", PDK_HOUR},
    {"m", PDK_MINUTE},
    {"min", PDK_MINUTE},
    {"mins", PDK_MINUTE},
    {"minute", PDK_MINUTE},
    {"minutes", PDK_MINUTE},
    {"s", PDK_SECOND},
    {"sec", PDK_SECOND},
    {"secs", PDK_SECOND},
    {"second", PDK_SECOND},
    {"seconds", PDK_SECOND},
    {"ms", PDK_MILLISECOND},
    {"msec", PDK_MILLISECOND},
    {"millis", PDK_MILLISECOND},
    {"millisecond", PDK_MILLISECOND},
    {"milliseconds", PDK_MILLISECOND},
    {"us", PDK_MICROSECOND},
    {"usec", PDK_MICROSECOND},
    {"\xC2\xB5s", PDK_MICROSECOND},
    {"\xCE\xBCs", PDK_MICROSECOND},
    {"ns", 1},
    {"nsec", 1},
};

static int32_t find_unit(const char *name, size_t size) {
    for (int32_t i = 0; i < UNITS; i++) {
        if (strlen(units[i].name) == size && memcmp(units[i].name, name, size) == 0) return i;
    }
    return -EINVAL;
}

static uint64_t find_habit(const char *name, size_t size) {
    for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
        if (strlen(habits[i].name) == size && strncasecmp(habits[i].name, name, size) == 0) return habits[i].ns;
    }
    return 0;
}

/* The grammar. A fault of form outweighs one of range. */
static int32_t parse_strictly(const char *text, uint64_t *ret_ns) {
    uint64_t total = 0, part;
    int32_t last = -1, range = 0;
    do {
        struct pdk_decimal number;
        int32_t rc = pdk_decimal_read(&text, &number);
        if (rc == -EINVAL) return rc;
        size_t size = pdk_unit_length(text);
        int32_t unit = find_unit(text, size);
        if (unit <= last) return -EINVAL;
        if (!rc) rc = pdk_decimal_scale(&number, units[unit].ns, DURATION_MAX, &part);
        if (rc == -EINVAL) return rc;
        if (rc) {
            range = rc;
        } else {
            total += part; /* at most UNITS * DURATION_MAX, which fits */
        }
        last = unit;
        text += size;
    } while (*text);
    if (range || total > DURATION_MAX) return -ERANGE;
    *ret_ns = total;
    return 0;
}

/* What it would mean to somebody who does not know our grammar. */
static int32_t parse_loosely(const char *text, uint64_t *ret_ns) {
    uint64_t total = 0, part;
    text = pdk_skip_blanks(text);
    do {
        struct pdk_decimal number;
        if (pdk_decimal_read(&text, &number)) return -EINVAL;
        text = pdk_skip_blanks(text);
        size_t size = pdk_unit_length(text);
        uint64_t ns = find_habit(text, size);
        if (!ns || pdk_decimal_scale(&number, ns, DURATION_MAX, &part)) return -EINVAL;
        total = pdk_time_add(total, part);
        text = pdk_skip_blanks(text + size);
    } while (*text);
    if (total > DURATION_MAX) return -EINVAL;
    *ret_ns = total;
    return 0;
}

static void give_hint(const char *text, int32_t rc, char *hint, size_t hint_size) {
    char meant[64];
    uint64_t ns;
    const char *end = text;
    struct pdk_decimal number;
    if (rc == -ERANGE) {
        snprintf(hint, hint_size, "at most 3650d");
    } else if (strlen(text) < 20 && pdk_decimal_read(&end, &number) == 0 && *end == '\0') {
        snprintf(hint, hint_size, "write %ss or %sm", text, text);
    } else if (parse_loosely(text, &ns) == 0) {
        snprintf(hint, hint_size, "write %s", pdk_duration_format(ns, meant, sizeof(meant)));
    }
}

int32_t pdk_duration_parse(const char *text, uint64_t *ret_ns, char *hint, size_t hint_size) {
    if (hint && hint_size) hint[0] = '\0';
    if (strcmp(text, "0") == 0) {
        *ret_ns = 0;
        return 0;
    }
    int32_t rc = parse_strictly(text, ret_ns);
    if (rc && hint && hint_size) give_hint(text, rc, hint, hint_size);
    return rc;
}

/* ns as a decimal of the unit, without zeros at the end: "1.5". */
static void format_decimal(uint64_t ns, uint64_t unit, char *buf, size_t size) {
    int width = 0;
    for (uint64_t power = unit; power > 1; power /= 10) width++;
    int used = snprintf(buf, size, "%" PRIu64 ".%0*" PRIu64, ns / unit, width, ns % unit);
    if (used < 0 || (size_t)used >= size) return;
    while (used > 0 && buf[used - 1] == '0') buf[--used] = '\0';
    if (used > 0 && buf[used - 1] == '.') buf[--used] = '\0';
}

const char *pdk_duration_format(uint64_t ns, char *buf, size_t size) {
    char text[96] = "", decimal[48];
    size_t used = 0;
    for (int unit = UNIT_DAY; unit <= UNIT_MINUTE; unit++) {
        uint64_t count = ns / units[unit].ns;
        ns %= units[unit].ns;
        if (count) used += (size_t)snprintf(text + used, sizeof(text) - used, "%" PRIu64 "%s", count, units[unit].name);
    }
    for (int unit = UNIT_SECOND; ns > 0 && unit < UNITS; unit++) {
        if (ns < units[unit].ns) continue;
        format_decimal(ns, units[unit].ns, decimal, sizeof(decimal));
        snprintf(text + used, sizeof(text) - used, "%s%s", decimal, units[unit].name);
        ns = 0;
    }
    if (size) snprintf(buf, size, "%s", text[0] ? text : "0s");
    return buf;
}

const char *pdk_duration_about(uint64_t ns, char *buf, size_t size) {
    int unit = UNIT_DAY;
    while (unit < UNIT_NS && ns < units[unit].ns) unit++;
    uint64_t scale = units[unit].ns, count = ns / scale, rest = ns % scale;
    if (ns == 0) {
        snprintf(buf, size, "0s");
    } else if (unit <= UNIT_MINUTE) {
        snprintf(buf, size, "%" PRIu64 "%s%02" PRIu64 "%s", count, units[unit].name, rest / units[unit + 1].ns,
                 units[unit + 1].name);
    } else if (count < 10 && rest / (scale >= 10 ? scale / 10 : 1)) {
        snprintf(buf, size, "%" PRIu64 ".%" PRIu64 "%s", count, rest / (scale / 10), units[unit].name);
    } else {
        snprintf(buf, size, "%" PRIu64 "%s", count, units[unit].name);
    }
    return buf;
}
