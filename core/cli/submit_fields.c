/* SPDX-License-Identifier: Apache-2.0 */
/* The options of submit as fields of a task: values are read as YAML, so that 5 is a number and "5" is not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/cli/submit.h"
#include "core/yaml/yaml.h"

/* ---- maps */

static void write_merged(pdk_writer *w, const pdk_value *below, const pdk_value *above, int depth) {
    const pdk_values *v = pdk_values_get();
    v->put_map(w);
    for (size_t i = 0; i < v->count(below); i++) {
        const pdk_value *one = v->at(below, i), *other = v->get(above, v->key_at(below, i));
        v->key(w, v->key_at(below, i));
        if (other && depth && v->type(one) == PDK_MAP && v->type(other) == PDK_MAP)
            write_merged(w, one, other, depth - 1);
        else
            v->put_value(w, other ? other : one);
    }
    for (size_t i = 0; i < v->count(above); i++) {
        if (v->get(below, v->key_at(above, i))) continue;
        v->key(w, v->key_at(above, i));
        v->put_value(w, v->at(above, i));
    }
    v->end(w);
}

const pdk_value *pdk_submit_merge(const pdk_value *below, const pdk_value *above) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *merged = NULL;
    pdk_writer *w = v->open(v);
    write_merged(w, below, above, 8);
    return v->close(w, &merged, NULL) < 0 ? NULL : merged;
}

/* ---- values */

/* Faults are in the report; the value stays for who prints them. */
static int read_yaml(struct pdk_setup *setup, const char *name, const char *text, size_t size, const pdk_value **ret) {
    int32_t rc = pdk_yaml_parse(name, text, size, &setup->report, ret);
    if (rc == 0) return 0;
    if (rc == -ENOMEM) return pdk_say_memory();
    (void)pdk_setup_faults(setup);
    return PDK_EXIT_USAGE;
}

/* The value itself, or @FILE. */
static int read_value(struct pdk_setup *setup, const char *option, const char *text, const pdk_value **ret) {
    struct pdk_buffer file = PDK_BUFFER(PDK_SUBMIT_FILE_MAX);
    char name[40];
    (void)snprintf(name, sizeof name, "--%s", option);
    int code = *text == '@' ? pdk_read_whole(option, text + 1, &file) : 0;
    if (code == 0)
        code = *text == '@' ? read_yaml(setup, text + 1, pdk_buffer_string(&file), file.size, ret)
                            : read_yaml(setup, name, text, strlen(text), ret);
    pdk_buffer_free(&file);
    return code;
}

/* ---- options that come again and again */

static int not_a_pair(const struct pdk_setup *setup, const char *option, const char *text, const char *hint) {
    return pdk_say_usage(setup->arguments->verb, hint, "--%s %s: wants KEY=VALUE", option, text);
}

/* {key: value} */
static const pdk_value *make_pair(const char *key, size_t size, const pdk_value *value) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *map = NULL;
    char name[256];
    if (size >= sizeof name) return NULL;
    (void)snprintf(name, sizeof name, "%.*s", (int)size, key);
    pdk_writer *w = v->open(v);
    v->put_map(w);
    v->key(w, name);
    v->put_value(w, value);
    v->end(w);
    return v->close(w, &map, NULL) < 0 ? NULL : map;
}

/* One word over those before it; *map is replaced. */
static int add_over(const pdk_value **map, const pdk_value *above) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *merged = above ? pdk_submit_merge(*map, above) : NULL;
    v->drop(above);
    if (!merged) return pdk_say_memory();
    v->drop(*map);
    *map = merged;
    return 0;
}

static int read_parameter(struct pdk_setup *setup, const char *text, const pdk_value **map) {
    const pdk_values *v = pdk_values_get();
    const char *equals = strchr(text, '=');
    bool whole = *text == '{' || *text == '@';
    const pdk_value *value = NULL;
    if (!whole && (!equals || equals == text || equals - text > 253))
        return not_a_pair(setup, "with", text, "as in --with url=http://localhost/, or JSON, or @FILE");
    if (!whole && !pdk_utf8_valid(text, (size_t)(equals - text))) return not_a_pair(setup, "with", text, "as UTF-8");
    int code = read_value(setup, "with", whole ? text : equals + 1, &value);
    if (code == 0 && whole && v->type(value) != PDK_MAP)
        code = pdk_say_usage(setup->arguments->verb, "", "--with %s: wants an object", text);
    if (code == 0) code = add_over(map, whole ? v->hold(value) : make_pair(text, (size_t)(equals - text), value));
    v->drop(value);
    return code;
}

/* Of labels the value is text, whatever it looks like. */
static int read_label(struct pdk_setup *setup, const char *text, const pdk_value **map) {
    const pdk_values *v = pdk_values_get();
    const char *equals = strchr(text, '=');
    const pdk_value *value = NULL;
    if (!equals || equals == text || equals - text > 253)
        return not_a_pair(setup, "label", text, "as in --label tier=web");
    if (!pdk_utf8_valid(text, strlen(text))) return not_a_pair(setup, "label", text, "as UTF-8");
    pdk_writer *w = v->open(v);
    v->put_string(w, equals + 1, strlen(equals + 1));
    if (v->close(w, &value, NULL) < 0) return pdk_say_memory();
    int code = add_over(map, make_pair(text, (size_t)(equals - text), value));
    v->drop(value);
    return code;
}

static int read_words(struct pdk_setup *setup, const struct pdk_words *words, const char *field,
                      int (*read)(struct pdk_setup *, const char *, const pdk_value **), const pdk_value **fields) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *map = NULL;
    int code = 0;
    for (size_t i = 0; code == 0 && i < words->count; i++) code = read(setup, words->items[i], &map);
    if (code == 0 && words->count) code = add_over(fields, make_pair(field, strlen(field), map));
    v->drop(map);
    return code;
}

int pdk_submit_fields(struct pdk_setup *setup, const pdk_value **ret) {
    const struct pdk_remote_arguments *own = &setup->arguments->remote;
    const pdk_values *v = pdk_values_get();
    const pdk_value *fields = NULL, *input = NULL;
    int code = pdk_set_read(setup, &fields);
    if (code == 0) code = read_words(setup, &own->parameters, "with", read_parameter, &fields);
    if (code == 0) code = read_words(setup, &own->labels, "labels", read_label, &fields);
    if (code == 0 && own->input) {
        code = read_value(setup, "input", own->input, &input);
        if (code == 0) code = add_over(&fields, make_pair("input", 5, input));
        v->drop(input);
    }
    if (code)
        v->drop(fields);
    else
        *ret = fields;
    return code;
}
