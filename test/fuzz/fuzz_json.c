/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON: refused in words, or written and read again as the same. */
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/text.h"
#include "core/value/json.h"
#include "core/value/value.h"
#include "fuzz.h"

static void check_form(const pdk_value *value, uint32_t flags) {
    const pdk_values *v = pdk_values_get();
    struct pdk_buffer json = PDK_BUFFER(PDK_JSON_SIZE_MAX);
    const pdk_value *again = NULL;
    MUST(v->print(v, value, flags, pdk_buffer_write, &json) == 0);
    MUST(v->parse(v, json.data, json.size, "again", &again, NULL) == 0);
    MUST(pdk_value_equal(value, again));
    v->drop(again);
    pdk_buffer_free(&json);
}

/* Both ways come to the same: in types, order, and what was written, too. */
static void check_same(const pdk_value *quick, const pdk_value *slow) {
    MUST(quick->type == slow->type && quick->size == slow->size && quick->flags == slow->flags);
    const char *text = pdk_value_text(quick), *other = pdk_value_text(slow);
    MUST(!text == !other && (!text || memcmp(text, other, quick->size) == 0));
    for (size_t i = 0; quick->type >= PDK_LIST && i < quick->size; i++) {
        const pdk_values *v = pdk_values_get();
        if (quick->type == PDK_MAP) MUST(strcmp(v->key_at(quick, i), v->key_at(slow, i)) == 0);
        check_same(v->at(quick, i), v->at(slow, i));
    }
}

static void check_slow(const pdk_value *value, const char *data, size_t size) {
    const pdk_value *slow = NULL;
    MUST(pdk_json_parse_slowly(data, size, "slow", &slow, NULL) == 0);
    check_same(value, slow);
    MUST(pdk_value_equal(value, slow));
    pdk_values_get()->drop(slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    if (v->parse(v, (const char *)data, size, "fuzz", &value, &err)) {
        MUST(!value && err.message[0] && pdk_utf8_fault(err.message, strlen(err.message)) < 0);
        return 0;
    }
    check_slow(value, (const char *)data, size);
    check_form(value, PDK_JSON_PLAIN);
    check_form(value, PDK_JSON_INDENT | PDK_JSON_SORT);
    v->drop(value);
    return 0;
}
