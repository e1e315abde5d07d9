/* SPDX-License-Identifier: Apache-2.0 */
/* What was said of an attempt: a pdk_result and everything that it points to, in our hands. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"

enum { CODE_LIMIT = 128, MESSAGE_LIMIT = 4096 };

/* The part of a text that is kept; never half a character. */
static size_t kept(const char *text, size_t limit) {
    size_t size = strnlen(text, limit + 1);
    if (size <= limit) return size;
    size = limit;
    while (size && ((unsigned char)text[size] & 0xC0) == 0x80) size--;
    return size;
}

static void keep_texts(struct pdk_said *said, const char *code, const char *message) {
    size_t code_size = kept(code, CODE_LIMIT), message_size = kept(message, MESSAGE_LIMIT);
    said->result.code = said->result.message = "";
    if (!code_size && !message_size) return;
    said->text = malloc(code_size + message_size + 2);
    if (!said->text) {
        said->result.message = "its message is lost: out of memory";
        return;
    }
    char *second = said->text + code_size + 1;
    memcpy(said->text, code, code_size);
    said->text[code_size] = '\0';
    memcpy(second, message, message_size);
    second[message_size] = '\0';
    said->result.code = said->text;
    said->result.message = second;
}

/* A plugin may be older or younger than we are, and may say numbers that we do not know. */
void pdk_said_copy(struct pdk_said *said, const pdk_result *result) {
    pdk_result *own = &said->result;
    if (result->struct_size >= sizeof *result) {
        *own = *result;
    } else {
        memset(own, 0, sizeof *own);
        memcpy(own, result, result->struct_size);
    }
    own->struct_size = (uint32_t)sizeof *own;
    if (own->status < PDK_SUCCESS || own->status > PDK_CANCELED) own->status = PDK_FAILURE;
    if (own->category < PDK_CAT_NONE || own->category > PDK_CAT_INTERNAL) own->category = PDK_CAT_OTHER;
    if (own->usage) {
        size_t size = own->usage->struct_size < sizeof said->usage ? own->usage->struct_size : sizeof said->usage;
        memset(&said->usage, 0, sizeof said->usage);
        memcpy(&said->usage, own->usage, size);
        said->usage.struct_size = (uint32_t)sizeof said->usage;
        own->usage = &said->usage;
    }
    said->text = NULL;
    if (own->output) pdk_values_get()->hold(own->output);
    keep_texts(said, own->code ? own->code : "", own->message ? own->message : "");
}

void pdk_said_host(struct pdk_said *said, int32_t status, int32_t category, const char *code, const char *message) {
    pdk_result result = PDK_RESULT(status, category, message);
    result.code = code;
    pdk_said_free(said);
    pdk_said_copy(said, &result);
}

/* states.md section 3: what a start that failed counts as. */
static const struct {
    int32_t error, status, category;
    const char *code;
} errors[] = {
    {-EAGAIN, PDK_FAILURE, PDK_CAT_BUSY, "busy"},        {-ENOMEM, PDK_FAILURE, PDK_CAT_MEMORY, "no_memory"},
    {-ENOTSUP, PDK_FATAL, PDK_CAT_INPUT, "unsupported"}, {-EINVAL, PDK_FATAL, PDK_CAT_INPUT, "invalid"},
    {-ENOENT, PDK_FATAL, PDK_CAT_MISSING, "not_found"},  {-EACCES, PDK_FATAL, PDK_CAT_DENIED, "denied"},
};

void pdk_said_error(struct pdk_said *said, int32_t error, const pdk_error *err) {
    const char *message = err && err->message[0] ? err->message : strerrordesc_np(-error);
    if (!message) message = "its start failed";
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].error != error) continue;
        pdk_said_host(said, errors[i].status, errors[i].category, errors[i].code, message);
        return;
    }
    pdk_said_host(said, PDK_FAILURE, PDK_CAT_OTHER, "start_failed", message);
}

void pdk_said_move(struct pdk_said *to, struct pdk_said *from) {
    pdk_said_free(to);
    to->result = from->result;
    to->text = from->text;
    if (from->result.usage) {
        to->usage = from->usage;
        to->result.usage = &to->usage;
    }
    from->text = NULL;
    from->result.output = NULL;
}

void pdk_said_free(struct pdk_said *said) {
    if (said->result.output) pdk_values_get()->drop(said->result.output);
    said->result.output = NULL;
    if (said->text) free(said->text);
    said->text = NULL;
}
