/* SPDX-License-Identifier: Apache-2.0 */
/* What would it cost to compile this? The C library has no limit of its own: (((a{255}){255}){255}) takes all memory. */
#include <ctype.h>
#include <string.h>

#include "core/spec/body.h"

#define DEPTH_LIMIT 64

/* A group that is open: what is in it, and of that the last piece, which a repetition would repeat. */
struct group {
    uint64_t sum, last;
};

/* Behind a bracket expression, whose first ] and whose [:classes:] do not end it. */
static const char *skip_bracket(const char *text) {
    if (*text == '^') text++;
    if (*text == ']') text++;
    while (*text && *text != ']') {
        if (text[0] == '[' && text[1] && strchr(":.=", text[1])) {
            const char *end = strchr(text + 2, ']');
            if (!end) return text + strlen(text);
            text = end;
        }
        text++;
    }
    return *text ? text + 1 : text;
}

/* Behind {n,m}; the larger number goes to *largest. */
static const char *skip_interval(const char *text, uint64_t *largest) {
    uint64_t n = 0;
    *largest = 0;
    for (; *text && *text != '}'; text++) {
        n = isdigit((unsigned char)*text) && n < 100000 ? n * 10 + (uint64_t)(*text - '0') : 0;
        if (n > *largest) *largest = n;
    }
    return *text ? text + 1 : text;
}

static void add_piece(struct group *group, uint64_t cost) {
    group->sum += group->last;
    group->last = cost;
}

uint32_t pdk_regex_cost(const char *text) {
    struct group groups[DEPTH_LIMIT + 1] = {{0, 0}}, *group = groups;
    uint64_t times;
    while (*text) {
        char c = *text++;
        if (group->last > UINT32_MAX || group->sum > UINT32_MAX) return UINT32_MAX;
        if (c == '(') {
            if (group == groups + DEPTH_LIMIT) return UINT32_MAX;
            *++group = (struct group){1, 0};
        } else if (c == ')' && group > groups) {
            times = group->sum + group->last;
            add_piece(--group, times);
        } else if (c == '{') {
            text = skip_interval(text, &times);
            group->last *= times + 1;
        } else if (c == '+' || c == '*' || c == '?') {
            group->last = group->last * 2 + 1;
        } else {
            if (c == '[') text = skip_bracket(text);
            if (c == '\\' && *text) text++;
            add_piece(group, 1);
        }
    }
    for (times = 0;; group--) {
        times += group->sum + group->last;
        if (group == groups) break;
    }
    return times > UINT32_MAX ? UINT32_MAX : (uint32_t)times;
}
