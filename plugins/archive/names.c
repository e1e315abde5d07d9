/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

uint64_t arc_hash(const char *data, size_t size) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static bool is_plain(char c, bool first) {
    return isalnum((unsigned char)c) || c == '_' || c == '-' || (c == '.' && !first);
}

void arc_name(char *buf, const char *word) {
    static const char digits[] = "0123456789ABCDEF";
    const size_t limit = ARC_NAME_MAX - 20;
    size_t size = 0, i = 0;
    for (; word[i] && size + 3 < limit; i++) {
        if (is_plain(word[i], i == 0)) {
            buf[size++] = word[i];
            continue;
        }
        buf[size++] = '%';
        buf[size++] = digits[(unsigned char)word[i] >> 4];
        buf[size++] = digits[(unsigned char)word[i] & 15];
    }
    buf[size] = '\0';
    if (word[i] || !size)
        (void)snprintf(buf + size, ARC_NAME_MAX - size, "~%016llx", (unsigned long long)arc_hash(word, strlen(word)));
}

/* Digits up to an end; NULL: there are none, or too many. */
static const char *take_number(const char *at, uint64_t most, uint64_t *ret) {
    const char *start = at;
    for (*ret = 0; *at >= '0' && *at <= '9'; at++) {
        if (*ret > (most - (uint64_t)(*at - '0')) / 10) return NULL;
        *ret = *ret * 10 + (uint64_t)(*at - '0');
    }
    return at > start && (*start != '0' || at == start + 1) ? at : NULL;
}

bool arc_segment_parse(const char *name, struct arc_segment *ret) {
    uint64_t attempt, start;
    const char *at = take_number(name, UINT32_MAX, &attempt);
    if (!at || *at != '.' || !attempt) return false;
    at = take_number(at + 1, INT64_MAX, &start);
    if (!at || (strcmp(at, ".log") != 0 && strcmp(at, ".log.gz") != 0)) return false;
    *ret = (struct arc_segment){(uint32_t)attempt, start, at[4] != '\0'};
    return true;
}

void arc_segment_name(char *buf, const struct arc_segment *segment) {
    (void)snprintf(buf, ARC_SEGMENT_MAX, "%u.%llu.log%s", segment->attempt, (unsigned long long)segment->start,
                   segment->cold ? ".gz" : "");
}

uint64_t arc_seq(const char *run_id) {
    const char *end = run_id + strlen(run_id), *at = end;
    uint64_t seq = 0;
    while (at > run_id && at[-1] >= '0' && at[-1] <= '9' && end - at < 18) at--;
    for (; at < end; at++) seq = seq * 10 + (uint64_t)(*at - '0');
    return seq;
}
