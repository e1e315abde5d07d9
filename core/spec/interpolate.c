/* SPDX-License-Identifier: Apache-2.0 */
/* Variables of our environment in the values of files. What needs no change is shared with the original, so it keeps
 * its place and path. */
#include "core/spec/interpolate.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/text.h"

/* As long as a scalar of YAML may be. */
#define TEXT_LIMIT (1 << 20)

/* What a value is, as far as it matters: where may a command stand? */
enum role { ROLE_FREE, ROLE_FILE, ROLE_TASKS, ROLE_TASK, ROLE_CHECK, ROLE_COMMAND };

static enum role role_of(enum role map, const char *key) {
    static const struct {
        const char *key;
        enum role map, role;
    } roles[] = {{"tasks", ROLE_FILE, ROLE_TASKS},     {"defaults", ROLE_FILE, ROLE_TASK},
                 {"command", ROLE_TASK, ROLE_COMMAND}, {"ready", ROLE_TASK, ROLE_CHECK},
                 {"stop", ROLE_TASK, ROLE_CHECK},      {"command", ROLE_CHECK, ROLE_COMMAND}};
    if (map == ROLE_TASKS) return ROLE_TASK;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (roles[i].map == map && !strcmp(roles[i].key, key)) return roles[i].role;
    return ROLE_FREE;
}

static bool wanted(const pdk_value *value, enum role role) {
    const char *text;
    if (value->type == PDK_LIST) {
        for (uint32_t i = 0; i < value->size; i++)
            if (wanted(value->as.items[i], ROLE_FREE)) return true;
        return false;
    }
    if (value->type == PDK_MAP) {
        for (uint32_t i = 0; i < value->size; i++) {
            const struct pdk_value_entry *entry = &value->as.map.entries[i];
            if (wanted(entry->value, role_of(role, entry->key))) return true;
        }
        return false;
    }
    if (value->type != PDK_STRING || role == ROLE_COMMAND || role == ROLE_TASK) return false;
    text = pdk_value_text(value);
    return text && strstr(text, "${");
}

struct interpolation {
    pdk_writer *writer;
    struct pdk_report *report;
    int32_t error;
};

static size_t name_size(const char *text) {
    size_t size = 0;
    if (isdigit((unsigned char)text[0])) return 0;
    while (isalnum((unsigned char)text[size]) || text[size] == '_') size++;
    return size;
}

/* One ${...} from its name on. Returns what follows it, or NULL after a fault. */
static const char *expand_one(struct interpolation *in, const pdk_value *at, const char *text,
                              struct pdk_buffer *buffer) {
    size_t size = name_size(text);
    const char *rest = text + size, *end = strchr(rest, '}'), *value;
    char name[256], expected[300];
    if (size == 0 || size >= sizeof name || !end ||
        (*rest != '}' && strncmp(rest, ":-", 2) != 0 && strncmp(rest, ":?", 2) != 0)) {
        in->error = pdk_value_fault(in->report, -EINVAL, at,
                                    "write ${NAME}, ${NAME:-text}, ${NAME:?message}, or $${ for a plain ${", NULL,
                                    "this is not a variable: ${%.20s", text);
        return NULL;
    }
    memcpy(name, text, size);
    name[size] = '\0';
    value = getenv(name);
    if (value && pdk_utf8_fault(value, strlen(value)) >= 0) {
        in->error = pdk_value_fault(in->report, -EINVAL, at, NULL, NULL, "the variable %s is not UTF-8", name);
        return NULL;
    }
    if (value && (*value || *rest == '}')) {
        pdk_buffer_text(buffer, value);
    } else if (rest[0] == ':' && rest[1] == '-') {
        pdk_buffer_add(buffer, rest + 2, (size_t)(end - rest - 2));
    } else {
        (void)snprintf(expected, sizeof expected, "set it, or write ${%s:-default}", name);
        if (*rest == ':')
            (void)snprintf(expected, sizeof expected, "%.*s", (int)(end - rest - 2 > 250 ? 250 : end - rest - 2),
                           rest + 2);
        in->error = pdk_value_fault(in->report, -EINVAL, at, expected, NULL, "the variable %s is not set", name);
        return NULL;
    }
    return end + 1;
}

/* After a fault the text stays as it was written, and readers say no more about it. */
static void put_expanded(struct interpolation *in, const pdk_value *value) {
    const pdk_values *values = pdk_values_get();
    struct pdk_buffer buffer = PDK_BUFFER(TEXT_LIMIT);
    const char *text = pdk_value_text(value);
    int32_t before = in->error;
    in->error = 0;
    while (text && *text) {
        const char *dollar = strstr(text, "${");
        size_t plain = dollar ? (size_t)(dollar - text) : strlen(text);
        bool escaped = dollar && dollar > text && dollar[-1] == '$';
        pdk_buffer_add(&buffer, text, escaped ? plain - 1 : plain);
        if (escaped) pdk_buffer_text(&buffer, "${");
        text = !dollar ? NULL : escaped ? dollar + 2 : expand_one(in, value, dollar + 2, &buffer);
    }
    if (buffer.error == -E2BIG)
        in->error = pdk_value_fault(in->report, -EINVAL, value, NULL, NULL, "more than 1MiB with its variables put in");
    else if (buffer.error)
        in->error = buffer.error;
    pdk_writer_like(in->writer, value);
    pdk_writer_flags(in->writer, value->flags | (in->error ? PDK_VALUE_FAULTY : 0));
    if (in->error)
        values->put_string(in->writer, pdk_value_text(value), value->size);
    else
        values->put_string(in->writer, pdk_buffer_string(&buffer), buffer.size);
    pdk_buffer_free(&buffer);
    if (before && in->error != -ENOMEM) in->error = before;
}

/* As deep as a value may be. */
static void put(struct interpolation *in, const pdk_value *value, enum role role) {
    const pdk_values *values = pdk_values_get();
    if (!wanted(value, role)) {
        values->put_value(in->writer, value);
    } else if (value->type == PDK_LIST) {
        pdk_writer_like(in->writer, value);
        values->put_list(in->writer);
        for (uint32_t i = 0; i < value->size; i++) put(in, value->as.items[i], ROLE_FREE);
        values->end(in->writer);
    } else if (value->type == PDK_MAP) {
        pdk_writer_like(in->writer, value);
        values->put_map(in->writer);
        for (uint32_t i = 0; i < value->size; i++) {
            const struct pdk_value_entry *entry = &value->as.map.entries[i];
            pdk_writer_key_like(in->writer, value, i);
            values->key(in->writer, entry->key);
            put(in, entry->value, role_of(role, entry->key));
        }
        values->end(in->writer);
    } else {
        put_expanded(in, value);
    }
}

int32_t pdk_interpolate(const pdk_value *value, enum pdk_interpolate root, struct pdk_report *report,
                        const pdk_value **ret) {
    const pdk_values *values = pdk_values_get();
    struct interpolation in = {.report = report};
    enum role role = root == PDK_INTERPOLATE_FILE ? ROLE_FILE : ROLE_TASK;
    int32_t rc;
    if (!wanted(value, role)) {
        *ret = values->hold(value);
        return 0;
    }
    in.writer = values->open(values);
    put(&in, value, role);
    rc = values->close(in.writer, ret, NULL);
    return rc < 0 ? rc : in.error;
}
