/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what the arguments name: files, or a task from the command line. */
#include "core/cli/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/cli/console.h"
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

static void write_task(pdk_writer *w, const char *const *command, const pdk_value *set) {
    const pdk_values *v = pdk_values_get();
    v->put_map(w);
    v->key(w, "command");
    v->put_list(w);
    for (size_t i = 0; command[i]; i++) v->put_string(w, command[i], strlen(command[i]));
    v->end(w);
    for (size_t i = 0; i < v->count(set); i++) {
        v->key(w, v->key_at(set, i));
        v->put_value(w, v->at(set, i));
    }
    v->end(w);
}

static int32_t make_file(const char *const *command, const pdk_value *set, const pdk_value **ret) {
    const pdk_values *v = pdk_values_get();
    pdk_error err = PDK_ERROR;
    char name[64];
    name_of(command[0], name, sizeof name);
    pdk_writer *w = v->open(v);
    v->put_map(w);
    v->key(w, "tasks");
    v->put_map(w);
    v->key(w, name);
    write_task(w, command, set);
    v->end(w);
    v->end(w);
    int32_t rc = v->close(w, ret, &err);
    if (rc < 0 && rc != -ENOMEM) pdk_say("the command cannot be read: %s", err.message);
    return rc;
}

static int read_env_files(const struct pdk_arguments *arguments) {
    for (size_t i = 0; i < arguments->env_files.count; i++) {
        int code = pdk_env_file_read(arguments->env_files.items[i]);
        if (code) return code;
    }
    return 0;
}

int pdk_setup_command(struct pdk_setup *setup, struct pdk_arguments *arguments) {
    const pdk_value *file = NULL, *set = NULL;
    *setup = (struct pdk_setup){.arguments = arguments};
    int code = read_env_files(arguments);
    if (code == 0) code = pdk_set_read(setup, &set);
    if (code) return code;
    char *folder = getcwd(NULL, 0);
    int32_t rc = folder ? make_file(arguments->command, set, &file) : -errno;
    if (rc == 0) rc = pdk_config_read(file, folder, &setup->report, &setup->config);
    if (rc < 0 && !setup->config) code = rc == -ENOMEM ? pdk_say_memory() : PDK_EXIT_USAGE;
    pdk_values_get()->drop(set);
    pdk_values_get()->drop(file);
    free(folder);
    return code;
}

/* The tasks that --set is said of: those that are named. */
static int32_t load_files(struct pdk_setup *setup, const char *const *files, const pdk_value *fields) {
    const struct pdk_arguments *arguments = setup->arguments;
    const struct pdk_config_set set = {.fields = fields,
                                       .names = arguments->only.count ? arguments->only.items : arguments->names.items};
    return pdk_config_load_set(files, fields ? &set : NULL, &setup->report, &setup->config);
}

int pdk_setup_read(struct pdk_setup *setup, struct pdk_arguments *arguments, bool must) {
    const char *fallback[2] = {default_file(), NULL};
    const pdk_value *fields = NULL;
    bool named = arguments->files.count > 0;
    *setup = (struct pdk_setup){.arguments = arguments};
    int code = read_env_files(arguments);
    if (code == 0) code = pdk_set_read(setup, &fields);
    if (code || (!named && !must && access(fallback[0], F_OK) < 0)) return code;
    int32_t rc = load_files(setup, named ? arguments->files.items : fallback, fields);
    pdk_values_get()->drop(fields);
    return rc < 0 ? cannot_read(setup, fallback[0], named, rc) : 0;
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
