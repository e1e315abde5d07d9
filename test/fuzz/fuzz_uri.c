/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what strangers write on the first lines of a request. The input is taken as a path, a query value, a list, a
 * number and a header in turn; what comes out must be text, within its bounds, and the same when it is read again. */
#include "uri.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "fuzz.h"

enum { PARTS = 8 };

static void decode(const char *text) {
    char *copy = strdup(text);
    MUST(copy);
    if (con_uri_decode(copy)) {
        size_t size = strlen(copy);
        MUST(size <= strlen(text) && pdk_utf8_valid(copy, size));
        for (size_t i = 0; i < size; i++) MUST((unsigned char)copy[i] >= ' ' && copy[i] != 0x7f);
        if (!strchr(text, '%')) MUST(!strcmp(copy, text));
    }
    free(copy);
}

static void split(const char *text) {
    const char *parts[PARTS];
    char *copy = strdup(text);
    size_t count = 0;
    MUST(copy);
    if (con_uri_split(copy, parts, PARTS, &count)) {
        MUST(count <= PARTS);
        for (size_t i = 0; i < count; i++) MUST(*parts[i] && strcmp(parts[i], ".") != 0 && strcmp(parts[i], "..") != 0);
        if (con_uri_matches("/v1/runs/{run}/output", parts, count)) MUST(count == 4 && !strcmp(parts[3], "output"));
        MUST(con_uri_matches("/{a}/{b}/{c}", parts, count) == (count == 3));
    }
    (void)con_uri_matches(text, parts, count);
    (void)con_uri_place(text, "run");
    free(copy);
}

static void number(const char *text) {
    uint64_t value = 0, again = 1;
    char back[24];
    if (!con_uri_number(text, 10, UINT64_MAX, &value)) return;
    MUST(value >= 10);
    (void)snprintf(back, sizeof back, "%llu", (unsigned long long)value);
    MUST(con_uri_number(back, 0, UINT64_MAX, &again) && again == value);
    MUST(!strcmp(back, text + strspn(text, "0")));
}

static void list(const char *text) {
    const char *at = text, *entry;
    size_t size, steps = 0;
    while ((entry = con_uri_entry(&at, &size))) {
        MUST(size && entry >= text && entry + size <= text + strlen(text) && !memchr(entry, ',', size));
        MUST(steps++ <= strlen(text));
    }
    (void)con_uri_listed(text, "run.ended");
    if (con_uri_listed(text, "run.accepted") && !strchr(text, '*')) MUST(strstr(text, "run.accepted"));
}

static void headers(const char *text) {
    static const char *const types[] = {"text/plain", "application/json", "text/event-stream"};
    const char *token = con_uri_bearer(text);
    char host[64];
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) MUST(con_uri_accepts(text, types[i]) <= 1000);
    if (con_uri_is_type(text, "application/json")) MUST(con_uri_accepts(text, "application/json") <= 1000);
    if (token) MUST(*token && token > text && token < text + strlen(text));
    if (!con_uri_host(text, host, sizeof host)) return;
    MUST(*host && strlen(host) < sizeof host && !strpbrk(host, " /@"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = calloc(1, size + 1);
    MUST(text);
    if (size) memcpy(text, data, size);
    decode(text);
    split(text);
    number(text);
    list(text);
    headers(text);
    free(text);
    return 0;
}
