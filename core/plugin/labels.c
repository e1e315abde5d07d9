/* SPDX-License-Identifier: Apache-2.0 */
/* Configured and built-in labels in one map: see labels.h. */
#include "labels.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "core/spec/selector.h"

static bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The nearest thing to text that a label may have as its value. */
static const char *label_value(const char *text, char buf[static 64]) {
    size_t n = 0;

    while (*text && !is_alnum(*text)) text++;
    for (; text[n] && n < 63; n++) buf[n] = is_alnum(text[n]) || strchr("-_.", text[n]) ? text[n] : '-';
    while (n > 0 && !is_alnum(buf[n - 1])) n--;
    buf[n] = '\0';
    return buf;
}

static void put_label(const pdk_values *v, pdk_writer *writer, const char *key, const char *value) {
    char text[64];

    label_value(value, text);
    v->key(writer, key);
    v->put_string(writer, text, strlen(text));
}

static int32_t merge(const char *plugin, const char *name, const pdk_value *labels, const pdk_value **ret) {
    const pdk_values *v = pdk_values_get();
    pdk_writer *writer = v->open(v);
    pdk_error err = PDK_ERROR;
    struct utsname system;

    if (uname(&system) < 0) memset(&system, 0, sizeof system);
    v->put_map(writer);
    for (size_t i = 0; labels && i < v->count(labels); i++) {
        v->key(writer, v->key_at(labels, i));
        v->put_value(writer, v->at(labels, i));
    }
    put_label(v, writer, "paddock/plugin", plugin);
    put_label(v, writer, "paddock/name", name);
    put_label(v, writer, "paddock/host", system.nodename);
    put_label(v, writer, "paddock/arch", system.machine);
    v->end(writer);
    return v->close(writer, ret, &err);
}

int32_t pdk_instance_labels(const char *plugin, const char *name, const pdk_value *labels, struct pdk_report *report,
                            const pdk_value **ret) {
    int32_t rc = 0;

    if (pdk_value_is_null(labels)) labels = NULL;
    if (labels) rc = pdk_labels_check(labels, report);
    return rc < 0 ? rc : merge(plugin, name, labels, ret);
}
