/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as duration, size, signal, name, word. What is read is written and read again as the same; a hint that says
 * "write X" is true. */
#include <string.h>

#include "core/base/text.h"
#include "fuzz.h"

static void check_duration(const char *text) {
    char hint[64], written[64];
    uint64_t ns = 0, again = 0;
    if (pdk_duration_parse(text, &ns, hint, sizeof(hint)) == 0) {
        pdk_duration_about(ns, written, sizeof(written));
        MUST(pdk_duration_parse(pdk_duration_format(ns, written, sizeof(written)), &again, NULL, 0) == 0);
        MUST(ns == again);
    } else if (strncmp(hint, "write ", 6) == 0 && !strchr(hint + 6, ' ')) {
        MUST(pdk_duration_parse(hint + 6, &again, NULL, 0) == 0);
    }
}

static void check_size(const char *text) {
    char hint[128], written[64];
    uint64_t bytes = 0, again = 0;
    if (pdk_size_parse(text, &bytes, hint, sizeof(hint)) == 0) {
        MUST(pdk_size_parse(pdk_size_format(bytes, written, sizeof(written)), &again, NULL, 0) == 0);
        MUST(bytes == again);
    }
}

static void check_names(const char *text) {
    static const char *const words[] = {"never", "on-failure", "always", "restart", "GET", NULL};
    const char *why = NULL;
    int32_t number = 0;
    MUST(pdk_label_key_check(text, &why) == 0 || why);
    MUST(pdk_label_value_check(text, &why) == 0 || why);
    MUST(pdk_task_name_check(text, &why) == 0 || why);
    MUST(pdk_slot_name_check(text, &why) == 0 || why);
    MUST(pdk_plugin_name_check(text, &why) == 0 || why);
    if (pdk_signal_parse(text, &number) == 0) MUST(pdk_signal_name(number));
    pdk_nearest(text, words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text) return 0;
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    int64_t fault = pdk_utf8_fault(text, size);
    MUST(fault >= -1 && fault < (int64_t)size);
    if (fault < 0) MUST(pdk_utf8_valid(text, size));
    MUST(pdk_utf8_count(text, size) <= size);
    check_duration(text);
    check_size(text);
    check_names(text);
    free(text);
    return 0;
}
