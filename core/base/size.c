/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/quantity.h"
#include "core/base/text.h"

static const struct {
    const char *name;
    uint64_t bytes;
} units[] = {
    {"B", 1},
    {"kB", UINT64_C(1000)},
    {"KiB", UINT64_C(1) << 10},
    {"MB", UINT64_C(1000000)},
    {"MiB", UINT64_C(1) << 20},
    {"GB", UINT64_C(1000000000)},
    {"GiB", UINT64_C(1) << 30},
    {"TB", UINT64_C(1000000000000)},
    {"TiB", UINT64_C(1) << 40},
};
#define UNITS (sizeof(units) / sizeof(units[0]))

/* Half a unit has two readings; we take neither and offer both. */
static const struct {
    char letter;
    const char *binary, *decimal;
} readings[] = {{'k', "KiB", "kB"}, {'m', "MiB", "MB"}, {'g', "GiB", "GB"}, {'t', "TiB", "TB"}};

static int32_t parse_strictly(const char *text, uint64_t *ret_bytes) {
    struct pdk_decimal number;
    int32_t rc = pdk_decimal_read(&text, &number);
    if (rc == -EINVAL) return rc;
    for (size_t i = 0; i < UNITS; i++) {
        if (strcmp(units[i].name, text) != 0) continue;
        return rc ? rc : pdk_decimal_scale(&number, units[i].bytes, INT64_MAX, ret_bytes);
    }
    return -EINVAL;
}

static void hint_unit(const char *number, int digits, const char *unit, char *hint, size_t hint_size) {
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        if ((unit[0] | 0x20) != readings[i].letter) continue;
        if (strcasecmp(unit, readings[i].binary) == 0) {
            snprintf(hint, hint_size, "write %.*s%s", digits, number, readings[i].binary);
        } else if (strcasecmp(unit + 1, "") == 0 || strcasecmp(unit + 1, "i") == 0 || strcasecmp(unit + 1, "b") == 0) {
            snprintf(hint, hint_size, "write %.*s%s (1024) or %.*s%s (1000)", digits, number, readings[i].binary,
                     digits, number, readings[i].decimal);
        }
    }
    if (strcasecmp(unit, "b") == 0 || strcasecmp(unit, "byte") == 0 || strcasecmp(unit, "bytes") == 0) {
        snprintf(hint, hint_size, "write %.*sB", digits, number);
    }
}

static void give_hint(const char *text, int32_t rc, char *hint, size_t hint_size) {
    struct pdk_decimal number;
    const char *start = pdk_skip_blanks(text), *end = start;
    if (rc == -ERANGE) {
        snprintf(hint, hint_size, "at most 8388607TiB");
        return;
    }
    if (pdk_decimal_read(&end, &number)) return;
    int digits = (int)(end - start);
    if (digits > 32) return;
    if (*end == '\0') {
        snprintf(hint, hint_size, "write %sB, %sKiB or %sMiB", start, start, start);
    } else {
        hint_unit(start, digits, pdk_skip_blanks(end), hint, hint_size);
        if (strncmp(hint, "write ", 6) == 0 && strcmp(hint + 6, text) == 0) hint[0] = '\0'; /* 0.1B: no help */
    }
}

int32_t pdk_size_parse(const char *text, uint64_t *ret_bytes, char *hint, size_t hint_size) {
    if (hint && hint_size) hint[0] = '\0';
    int32_t rc = parse_strictly(text, ret_bytes);
    if (rc && hint && hint_size) give_hint(text, rc, hint, hint_size);
    return rc;
}

const char *pdk_size_format(uint64_t bytes, char *buf, size_t size) {
    size_t unit = UNITS - 1;
    while (unit > 0 && (bytes == 0 || bytes % units[unit].bytes)) unit--;
    snprintf(buf, size, "%" PRIu64 "%s", bytes / units[unit].bytes, units[unit].name);
    return buf;
}
