/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/traceparent.h"

#include <errno.h>
#include <string.h>

char *pdk_hex(const uint8_t *bytes, size_t count, char *buf) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        buf[2 * i] = digits[bytes[i] >> 4];
        buf[2 * i + 1] = digits[bytes[i] & 15];
    }
    buf[2 * count] = '\0';
    return buf;
}

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; /* capitals are not allowed */
}

/* Stops at the end of the text too, for NUL is no digit. */
static bool read_hex(const char *text, uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int high = digit(text[2 * i]), low = high < 0 ? -1 : digit(text[2 * i + 1]);
        if (low < 0) return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_zero(const uint8_t *bytes, size_t count) {
    uint8_t any = 0;
    for (size_t i = 0; i < count; i++) any |= bytes[i];
    return any == 0;
}

/* A version that we do not know may have more behind its flags, after another dash. */
static bool read_fields(const char *text, struct pdk_traceparent *ret) {
    uint8_t version;
    if (!read_hex(text, &version, 1) || text[2] != '-' || version == 0xff) return false;
    if (!read_hex(text + 3, ret->trace_id, sizeof ret->trace_id) || text[35] != '-') return false;
    if (!read_hex(text + 36, ret->span_id, sizeof ret->span_id) || text[52] != '-') return false;
    if (!read_hex(text + 53, &ret->flags, 1)) return false;
    return text[55] == '\0' ||
           (version > 0 && text[55] == '-' && strnlen(text, PDK_TRACEPARENT_MAX + 1) <= PDK_TRACEPARENT_MAX);
}

int32_t pdk_traceparent_parse(const char *text, struct pdk_traceparent *ret) {
    struct pdk_traceparent read;
    if (!read_fields(text, &read)) return -EINVAL;
    if (is_zero(read.trace_id, sizeof read.trace_id) || is_zero(read.span_id, sizeof read.span_id)) return -EINVAL;
    read.flags &= PDK_TRACE_SAMPLED | PDK_TRACE_RANDOM;
    *ret = read;
    return 0;
}

char *pdk_traceparent_format(const struct pdk_traceparent *from, char buf[PDK_TRACEPARENT_SIZE]) {
    static const uint8_t version = 0;
    pdk_hex(&version, 1, buf)[2] = '-';
    pdk_hex(from->trace_id, sizeof from->trace_id, buf + 3)[32] = '-';
    pdk_hex(from->span_id, sizeof from->span_id, buf + 36)[16] = '-';
    pdk_hex(&from->flags, 1, buf + 53);
    return buf;
}

bool pdk_tracestate_valid(const char *text) {
    size_t size = strnlen(text, PDK_TRACESTATE_MAX + 1);
    for (size_t i = 0; i < size; i++) {
        if (text[i] < ' ' || text[i] > '~') return false;
    }
    return size > 0 && size <= PDK_TRACESTATE_MAX;
}
