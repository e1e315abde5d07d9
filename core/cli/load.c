/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what the arguments name: files, or a task from the command line. */
#include "core/cli/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/cli/console.h"
#include "core/yaml/yaml.h"
#include "paddock/helpers.h"

static const char *default_file(void) {
    const char *file = getenv("PADDOCK_FILE");
    return file && *file ? file : "paddock.yaml";
}

/* How a file that cannot be read is told: not in the words of its content. */
static int cannot_read(struct pdk_setup *setup, const char *file, bool named, int32_t rc) {
    if (rc == -ENOMEM) return pdk_say_memory();
    if (named || rc != -ENOENT) return 0; /* it is in the report */
    setup->report.count = setup->report.errors = 0;
    (void)pdk_say_usage(setup->arguments->verb, "name a file, or a command behind --", "there is no %s here", file);
    return PDK_EXIT_FILE;
}

int pdk_setup_read(struct pdk_setup *setup, struct pdk_arguments *arguments, bool must) {
    const char *fallback[2] = {default_file(), NULL};
    bool named = arguments->files.count > 0;
    *setup = (struct pdk_setup){.arguments = arguments};
    for (size_t i = 0; i < arguments->env_files.count; i++) {
        int code = pdk_env_file_read(arguments->env_files.items[i]);
        if (code) return code;
    }
    if (!named && !must && access(fallback[0], F_OK) < 0) return 0;
    int32_t rc = pdk_config_load(named ? arguments->files.items : fallback, &setup->report, &setup->config);
    return rc < 0 ? cannot_read(setup, fallback[0], named, rc) : 0;
}

/* The name of a task made of a command: its program's, with what a name may not have replaced. */
static void name_of(const char *program, char *name, size_t size) {
    const char *slash = strrchr(program, '/'), *why;
    size_t n = 0;
    for (const char *c = slash ? slash + 1 : program; *c && n < size - 1 && n < 60; c++) {
        bool good = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_';
        name[n] = good || (n && strchr(".-", *c)) ? *c : '_';
        n++;
    }
    name[n] = '\0';
    if (pdk_task_name_check(name, &why) < 0) (void)strlcpy(name, "command", size);
}

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
    if (pdk_yaml_parse("--set", equals + 1, strlen(equals + 1), &setup->report, &ret->value) < 0) return PDK_EXIT_USAGE;
    return 0;
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

static int32_t make_file(const char *const *command, const struct setting *settings, size_t count,
                         const pdk_value **ret) {
    const pdk_values *v = pdk_values_get();
    pdk_error err = PDK_ERROR;
    char name[64];
    name_of(command[0], name, sizeof name);
    pdk_writer *w = v->open(v);
    v->put_map(w);
    v->key(w, "tasks");
    v->put_map(w);
    v->key(w, name);
    v->put_map(w);
    v->key(w, "command");
    v->put_list(w);
    for (size_t i = 0; command[i]; i++) v->put_string(w, command[i], strlen(command[i]));
    v->end(w);
    write_settings(w, settings, count, "", 0);
    v->end(w);
    v->end(w);
    v->end(w);
    int32_t rc = v->close(w, ret, &err);
    if (rc < 0 && rc != -ENOMEM) pdk_say("the command cannot be read: %s", err.message);
    return rc;
}

static int read_settings(struct pdk_setup *setup, struct setting *settings) {
    for (size_t i = 0; i < setup->arguments->set.count; i++) {
        int code = read_setting(setup, setup->arguments->set.items[i], &settings[i]);
        if (code) return code;
    }
    return 0;
}

int pdk_setup_command(struct pdk_setup *setup, struct pdk_arguments *arguments) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *file = NULL;
    size_t count = arguments->set.count;
    *setup = (struct pdk_setup){.arguments = arguments};
    for (size_t i = 0; i < arguments->env_files.count; i++) {
        int code = pdk_env_file_read(arguments->env_files.items[i]);
        if (code) return code;
    }
    struct setting *settings = pdk_arena_alloc(&setup->arena, (count + 1) * sizeof *settings);
    char *folder = getcwd(NULL, 0);
    int code = settings && folder ? read_settings(setup, settings) : pdk_say_memory();
    int32_t rc = code ? 0 : make_file(arguments->command, settings, count, &file);
    if (code == 0 && rc == 0) rc = pdk_config_read(file, folder, &setup->report, &setup->config);
    if (code == 0 && rc < 0 && !setup->config) code = rc == -ENOMEM ? pdk_say_memory() : PDK_EXIT_USAGE;
    if (code && setup->report.count) (void)pdk_setup_faults(setup);
    for (size_t i = 0; settings && i < count; i++) v->drop(settings[i].value);
    v->drop(file);
    free(folder);
    return code;
}

void pdk_setup_try(struct pdk_setup *setup, pdk_router *router, struct pdk_task *task) {
    struct pdk_built built;
    int32_t rc = pdk_router_build_task(router, task, &setup->report, &built);
    if (rc == -ENOENT) setup->route_faults++;
    if (rc < 0) return;
    built.ops->destroy(built.self);
    pdk_task_drop(built.task);
}

int pdk_setup_faults(struct pdk_setup *setup) {
    struct pdk_report *report = &setup->report;
    struct pdk_console console = pdk_console_of(STDERR_FILENO, setup->arguments->color);
    pdk_report_sort(report);
    if (setup->arguments->quiet && !report->errors) return 0;
    pdk_report_print(report, console.color, pdk_write_file, stderr);
    if (report->out_of_memory) return pdk_say_memory();
    if (!report->errors) return 0;
    if (setup->plugin_faults == report->errors) return PDK_EXIT_PLUGIN;
    return setup->route_faults == report->errors ? PDK_EXIT_NO_RUNNER : PDK_EXIT_FILE;
}

void pdk_setup_free(struct pdk_setup *setup) {
    pdk_report_free(&setup->report);
    pdk_config_free(setup->config);
    for (size_t i = 0; i < setup->plugin_count; i++) free(setup->plugins[i].library.path);
    free(setup->plugins);
    free(setup->path);
    pdk_arena_free(&setup->arena);
}
