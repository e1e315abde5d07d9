/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a traceparent. What is read names a trace and a span, and is read again as the same. */
#include <string.h>

#include "core/base/traceparent.h"
#include "fuzz.h"

static void check_read(const char *text, const struct pdk_traceparent *read) {
    char written[PDK_TRACEPARENT_SIZE];
    struct pdk_traceparent again;
    uint8_t any = 0;
    MUST(strlen(text) >= PDK_TRACEPARENT_SIZE - 1 && strlen(text) <= PDK_TRACEPARENT_MAX);
    for (size_t i = 0; i < sizeof read->trace_id; i++) any |= read->trace_id[i];
    MUST(any);
    pdk_traceparent_format(read, written);
    MUST(strlen(written) == PDK_TRACEPARENT_SIZE - 1);
    MUST(memcmp(text + 2, written + 2, 50) == 0); /* all between the version and the flags */
    MUST(pdk_traceparent_parse(written, &again) == 0);
    MUST(memcmp(read, &again, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pdk_traceparent read;
    char *text = malloc(size + 1);
    if (!text) return 0;
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    if (pdk_traceparent_parse(text, &read) == 0) check_read(text, &read);
    if (pdk_tracestate_valid(text)) MUST(*text && strlen(text) <= 512);
    free(text);
    return 0;
}
