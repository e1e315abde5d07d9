/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors of a command line: what is read prints as what reads back as the same, and matches the same. */
#include <string.h>

#include "core/base/buffer.h"
#include "core/spec/selector.h"
#include "fuzz.h"

#define TEXT_LIMIT 8192

static void print(const struct pdk_selector *selector, struct pdk_buffer *buffer) {
    char text[8192];
    for (uint32_t i = 0; i < selector->count; i++) {
        if (i) pdk_buffer_text(buffer, ",");
        pdk_buffer_text(buffer, pdk_requirement_print(&selector->requirements[i], text, sizeof text));
    }
}

static bool matches(const struct pdk_selector *selector) {
    static const char labels[] = "{\"a\": \"b\", \"zone\": \"gpu\", \"x.io/n\": \"1\", \"empty\": \"\"}";
    const pdk_values *values = pdk_values_get();
    const struct pdk_requirement *failed = NULL;
    const pdk_value *map = NULL;
    bool ret;
    if (values->parse(values, labels, sizeof labels - 1, "labels", &map, NULL) < 0) return false;
    ret = pdk_selector_matches(selector, map, &failed);
    MUST(ret == (failed == NULL));
    values->drop(map);
    return ret;
}

static void check_again(const struct pdk_selector *selector) {
    struct pdk_buffer first = PDK_BUFFER(1 << 16), second = PDK_BUFFER(1 << 16);
    struct pdk_arena arena = {0};
    struct pdk_selector again;
    print(selector, &first);
    if (first.size <= 4096) {
        MUST(pdk_selector_parse(pdk_buffer_string(&first), &arena, &again, NULL) == 0);
        print(&again, &second);
        MUST(strcmp(pdk_buffer_string(&first), pdk_buffer_string(&second)) == 0);
        MUST(again.count == selector->count && matches(&again) == matches(selector));
    }
    pdk_buffer_free(&first);
    pdk_buffer_free(&second);
    pdk_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pdk_arena arena = {0};
    struct pdk_selector selector;
    pdk_error err = PDK_ERROR;
    char *text;
    if (size > TEXT_LIMIT) return 0;
    text = calloc(1, size + 1);
    if (!text) return 0;
    if (size) memcpy(text, data, size);
    if (pdk_selector_parse(text, &arena, &selector, &err) == 0)
        check_again(&selector);
    else
        MUST(err.message[0] != '\0');
    pdk_arena_free(&arena);
    free(text);
    return 0;
}
