/* SPDX-License-Identifier: Apache-2.0 */
/* What comes back from a process names values by a JSON pointer; here they have lines. */
#include <stdlib.h>
#include <string.h>

#include "core/isolate/proxy.h"

/* The next word of "/with/a~1b" with its escapes undone. False: there is none, or it is too long. */
static bool next_word(const char **pointer, char *word, size_t size) {
    size_t used = 0;
    const char *c = *pointer;
    if (*c != '/') return false;
    for (c++; *c && *c != '/'; c++) {
        char plain = *c;
        if (c[0] == '~' && (c[1] == '0' || c[1] == '1')) plain = *++c == '0' ? '~' : '/';
        if (used + 1 == size) return false;
        word[used++] = plain;
    }
    word[used] = '\0';
    *pointer = c;
    return true;
}

const pdk_value *pdk_pointer_follow(const pdk_value *root, const char *pointer) {
    const pdk_values *v = pdk_values_get();
    char word[256];
    while (root && next_word(&pointer, word, sizeof word)) {
        const pdk_value *next = v->type(root) == PDK_LIST ? v->at(root, strtoul(word, NULL, 10)) : v->get(root, word);
        if (!next) break;
        root = next;
    }
    return root;
}

const pdk_value *pdk_pointer_in_spec(const pdk_spec *spec, const char *pointer) {
    const struct {
        const char *name;
        const pdk_value *value;
    } parts[] = {{"with", spec->with}, {"labels", spec->labels}, {"input", spec->input}, {"whole", spec->whole}};
    char word[256];
    if (!next_word(&pointer, word, sizeof word)) return NULL;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(word, parts[i].name) == 0) return pdk_pointer_follow(parts[i].value, pointer);
    return NULL;
}

static void take_text(struct pdk_frame_rest *rest, uint32_t text_size, char *to, size_t size) {
    const char *text = pdk_rest_bytes(rest, text_size);
    size_t kept = text && text_size < size ? text_size : 0;
    if (kept) memcpy(to, text, kept);
    to[kept] = '\0';
}

bool pdk_remote_error_read(const struct pdk_frame *frame, struct pdk_remote_error *ret) {
    struct pdk_frame_rest rest = pdk_frame_rest(frame);
    pdk_rest_take(&rest, &ret->numbers, sizeof ret->numbers);
    ret->error.struct_size = (uint32_t)sizeof ret->error;
    ret->error.code = ret->numbers.code;
    ret->error.at = NULL;
    take_text(&rest, ret->numbers.message_size, ret->error.message, sizeof ret->error.message);
    take_text(&rest, ret->numbers.hint_size, ret->error.hint, sizeof ret->error.hint);
    take_text(&rest, ret->numbers.at_size, ret->at, sizeof ret->at);
    return !rest.bad;
}
