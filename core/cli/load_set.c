/* SPDX-License-Identifier: Apache-2.0 */
/* --set FIELD=VALUE, again and again, as one map: stop.grace=2s and stop.signal=INT make {stop: {grace: 2s, signal: INT}}. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/cli/load.h"
#include "core/yaml/yaml.h"

/* What --set puts at one place: a value, or a map of more places. */
struct setting {
    const char *path; /* "stop.grace" */
    size_t size;
    const pdk_value *value;
};

static int read_setting(struct pdk_setup *setup, const char *text, struct setting *ret) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return pdk_say_usage(setup->arguments->verb, "as in -s timeout=5s", "--set %s: wants FIELD=VALUE", text);
    *ret = (struct setting){text, (size_t)(equals - text), NULL};
    int32_t rc = pdk_yaml_parse("--set", equals + 1, strlen(equals + 1), &setup->report, &ret->value);
    if (rc == -ENOMEM) return pdk_say_memory();
    return rc < 0 ? PDK_EXIT_USAGE : 0;
}

static bool below(const struct setting *setting, const char *prefix, size_t size) {
    return setting->size > size && strncmp(setting->path, prefix, size) == 0;
}

/* Write all settings whose path begins as this prefix does ("stop."), grouped by their next word. */
static void write_settings(pdk_writer *w, const struct setting *settings, size_t count, const char *prefix,
                           size_t size) {
    const pdk_values *v = pdk_values_get();
    for (size_t i = 0; i < count; i++) {
        const struct setting *s = &settings[i];
        if (!below(s, prefix, size)) continue;
        size_t word = size;
        while (word < s->size && s->path[word] != '.') word++;
        bool seen = false, last = word == s->size;
        for (size_t k = 0; k < i && !seen; k++)
            seen = settings[k].size >= word && strncmp(settings[k].path, s->path, word) == 0 &&
                   (settings[k].size == word || settings[k].path[word] == '.');
        for (size_t k = i + 1; k < count && last; k++) /* the last of its name wins */
            if (settings[k].size == word && strncmp(settings[k].path, s->path, word) == 0) s = &settings[k];
        if (seen) continue;
        char key[128];
        (void)snprintf(key, sizeof key, "%.*s", (int)(word - size), s->path + size);
        v->key(w, key);
        if (last) {
            v->put_value(w, s->value);
            continue;
        }
        v->put_map(w);
        write_settings(w, settings, count, settings[i].path, word + 1);
        v->end(w);
    }
}

static int read_settings(struct pdk_setup *setup, struct setting *settings) {
    for (size_t i = 0; i < setup->arguments->set.count; i++) {
        int code = read_setting(setup, setup->arguments->set.items[i], &settings[i]);
        if (code) return code;
    }
    return 0;
}

static int make_map(const struct setting *settings, size_t count, const pdk_value **ret) {
    const pdk_values *v = pdk_values_get();
    pdk_error err = PDK_ERROR;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    write_settings(w, settings, count, "", 0);
    v->end(w);
    int32_t rc = v->close(w, ret, &err);
    if (rc == 0) return 0;
    return rc == -ENOMEM ? pdk_say_memory() : pdk_say_usage(NULL, "", "--set: %s", err.message);
}

int pdk_set_read(struct pdk_setup *setup, const pdk_value **ret) {
    size_t count = setup->arguments->set.count;
    if (count == 0) return 0;
    struct setting *settings = pdk_arena_alloc(&setup->arena, count * sizeof *settings);
    if (!settings) return pdk_say_memory();
    int code = read_settings(setup, settings);
    if (code == 0)
        code = make_map(settings, count, ret);
    else if (setup->report.count)
        (void)pdk_setup_faults(setup);
    for (size_t i = 0; i < count; i++) pdk_values_get()->drop(settings[i].value);
    return code;
}
