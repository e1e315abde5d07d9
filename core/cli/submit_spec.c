/* SPDX-License-Identifier: Apache-2.0 */
/* Specs to be submitted: of a file, of a task that the server knows, of a kind, of a command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/cli/submit.h"
#include "core/yaml/yaml.h"

/* ---- gathered */

/* spec NULL: no memory. */
static int add(struct pdk_handover *s, const pdk_value *spec, bool from_file) {
    struct pdk_handed *items = spec ? reallocarray(s->items, s->count + 1, sizeof *items) : NULL;
    if (!items) {
        pdk_values_get()->drop(spec);
        return pdk_say_memory();
    }
    s->items = items;
    s->items[s->count++] = (struct pdk_handed){spec, from_file};
    return 0;
}

/* {name: name, key: text}; name NULL: without */
static const pdk_value *make_spec(const char *name, const char *key, const char *text) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *spec = NULL;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    if (name) {
        v->key(w, "name");
        v->put_string(w, name, strlen(name));
    }
    v->key(w, key);
    v->put_string(w, text, strlen(text));
    v->end(w);
    return v->close(w, &spec, NULL) < 0 ? NULL : spec;
}

static int add_merged(struct pdk_handover *s, const pdk_value *base, const pdk_value *above, bool from_file) {
    const pdk_value *merged = base ? pdk_submit_merge(base, above) : NULL;
    pdk_values_get()->drop(base);
    return add(s, merged, from_file);
}

/* ---- a command, where we are */

static void name_of(const struct pdk_arguments *a, char *name, size_t size) {
    const char *slash = strrchr(a->command[0], '/'), *why;
    (void)strlcpy(name, a->remote.name ? a->remote.name : slash ? slash + 1 : a->command[0], size);
    for (char *c = name; *c && !a->remote.name; c++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", *c)) *c = '_';
    if (!a->remote.name && pdk_task_name_check(name, &why) < 0) (void)strlcpy(name, "command", size);
}

static const pdk_value *make_command(const struct pdk_arguments *a, const char *folder) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *spec = NULL;
    char name[64];
    name_of(a, name, sizeof name);
    pdk_writer *w = v->open(v);
    v->put_map(w);
    v->key(w, "name");
    v->put_string(w, name, strlen(name));
    v->key(w, "command");
    v->put_list(w);
    for (size_t i = 0; a->command[i]; i++) v->put_string(w, a->command[i], strlen(a->command[i]));
    v->end(w);
    if (folder) {
        v->key(w, "cwd");
        v->put_string(w, folder, strlen(folder));
    }
    v->end(w);
    return v->close(w, &spec, NULL) < 0 ? NULL : spec;
}

static int add_command(struct pdk_handover *s, const struct pdk_arguments *a, bool local) {
    char *folder = local ? getcwd(NULL, 0) : NULL;
    int code = add_merged(s, make_command(a, folder), s->fields, false);
    free(folder);
    return code;
}

/* ---- a file */

static bool is_named(const struct pdk_arguments *a, const char *name) {
    for (size_t i = 0; i < a->names.count; i++)
        if (strcmp(a->names.items[i], name) == 0) return true;
    return false;
}

/* Commands start where the file says, or where it lies. */
static const pdk_value *with_place(const struct pdk_task *task, const pdk_value *whole, bool local) {
    const pdk_values *v = pdk_values_get();
    const char *folder = pdk_value_folder(task->source);
    bool runs = v->get(whole, "command") || v->get(whole, "script");
    if (local && runs && folder && !v->get(whole, "cwd")) return make_spec(task->plugin.name, "cwd", folder);
    return make_spec(NULL, "name", task->plugin.name);
}

static int add_task(struct pdk_handover *s, struct pdk_task *task, bool local) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *whole = NULL;
    if (pdk_task_whole(task, &whole) < 0) return pdk_say_memory();
    const pdk_value *own = with_place(task, whole, local), *merged = own ? pdk_submit_merge(whole, own) : NULL;
    v->drop(own);
    v->drop(whole);
    return add(s, merged, true);
}

static int add_tasks(struct pdk_handover *s, const struct pdk_arguments *a, bool local) {
    const struct pdk_config *config = s->setup.config;
    int code = pdk_setup_faults(&s->setup);
    for (size_t i = 0; code == 0 && i < a->names.count; i++)
        if (!pdk_config_task(config, a->names.items[i])) {
            pdk_say("%s has no task \"%s\"", a->files.items[0], a->names.items[i]);
            code = PDK_EXIT_NO_SUCH;
        }
    for (uint32_t i = 0; code == 0 && i < config->task_count; i++) {
        struct pdk_task *task = config->tasks[i];
        const char *unfit = pdk_config_unfit(task);
        if (a->names.count ? !is_named(a, task->plugin.name) : task->manual) continue;
        if (unfit) {
            pdk_say("%s: tasks.%s cannot be submitted: %s", a->files.items[0], task->plugin.name, unfit);
            return PDK_EXIT_FILE;
        }
        code = add_task(s, task, local);
    }
    if (code == 0 && !s->count) {
        pdk_say("%s has no task to submit", a->files.items[0]);
        return PDK_EXIT_FILE;
    }
    return code;
}

/* A task by itself has none of the words of a whole file. */
static bool is_whole_file(const pdk_value *value) {
    static const char *const words[] = {"tasks", "include", "defaults", "plugins", "sources", "server", NULL};
    for (size_t i = 0; words[i]; i++)
        if (pdk_values_get()->get(value, words[i])) return true;
    return false;
}

int pdk_submit_single(const struct pdk_arguments *a, const pdk_value *text, const pdk_value *fields,
                      const pdk_value **ret) {
    const pdk_values *v = pdk_values_get();
    const char *name = a->remote.name, *kind = pdk_value_text(v->get(text, "kind"));
    const pdk_value *below = NULL;
    if (!name && !v->get(text, "task")) name = kind ? kind : "command";
    if (name) below = make_spec(NULL, "name", name);
    const pdk_value *spec = a->remote.name ? pdk_submit_merge(text, below) : pdk_submit_merge(below, text);
    v->drop(below);
    *ret = spec ? pdk_submit_merge(spec, fields) : NULL;
    v->drop(spec);
    return *ret ? 0 : pdk_say_memory();
}

static int add_single(struct pdk_handover *s, const struct pdk_arguments *a) {
    const pdk_value *spec = NULL;
    int code = pdk_submit_single(a, s->text, s->fields, &spec);
    return code ? code : add(s, spec, true);
}

/* The file is read once to see what it is; where it has tasks, by those who know what it may include. */
static int add_file(struct pdk_handover *s, struct pdk_arguments *a, bool local) {
    const pdk_values *v = pdk_values_get();
    const char *path = a->files.items[0];
    const struct pdk_config_set set = {.fields = s->fields, .names = a->names.items};
    struct pdk_buffer text = PDK_BUFFER(PDK_SUBMIT_FILE_MAX);
    int code = pdk_read_whole(NULL, path, &text);
    if (code == 0 && pdk_yaml_parse(strcmp(path, "-") ? path : "standard input", pdk_buffer_string(&text), text.size,
                                    &s->setup.report, &s->text) < 0)
        code = pdk_setup_faults(&s->setup);
    pdk_buffer_free(&text);
    if (code) return code;
    if (v->type(s->text) != PDK_MAP) {
        pdk_say("%s: wanted a map: a task, or tasks", path);
        return PDK_EXIT_FILE;
    }
    if (!is_whole_file(s->text)) return add_single(s, a);
    if (strcmp(path, "-") == 0) {
        char *folder = getcwd(NULL, 0);
        (void)pdk_config_read(s->text, folder ? folder : "/", &s->setup.report, &s->setup.config);
        free(folder);
    } else {
        (void)pdk_config_load_set(a->files.items, s->fields ? &set : NULL, &s->setup.report, &s->setup.config);
    }
    return s->setup.config ? add_tasks(s, a, local) : pdk_say_memory();
}

/* ---- all of it */

/* A server is told in JSON, which is UTF-8. text may be NULL. */
static int check_text(const struct pdk_arguments *a, const char *text) {
    if (!text || pdk_utf8_valid(text, strlen(text))) return 0;
    return pdk_say_usage(a->verb, "", "\"%s\" is not UTF-8", text);
}

static int check_texts(const struct pdk_arguments *a) {
    int code = check_text(a, a->remote.name);
    if (code == 0) code = check_text(a, a->remote.kind);
    for (size_t i = 0; code == 0 && i < a->names.count; i++) code = check_text(a, a->names.items[i]);
    for (size_t i = 0; code == 0 && a->command && a->command[i]; i++) code = check_text(a, a->command[i]);
    return code;
}

static int choose(struct pdk_handover *s, struct pdk_arguments *a, bool local) {
    int code = 0;
    if (a->remote.jsonl) return 0; /* they come one by one */
    if (a->command) return add_command(s, a, local);
    if (a->remote.kind) {
        if (a->files.count || a->names.count)
            return pdk_say_usage(a->verb, "", "either --kind or %s, not both",
                                 a->files.count ? a->files.items[0] : a->names.items[0]);
        const char *name = a->remote.name ? a->remote.name : a->remote.kind;
        return add_merged(s, make_spec(name, "kind", a->remote.kind), s->fields, false);
    }
    if (a->files.count) return add_file(s, a, local);
    for (size_t i = 0; code == 0 && i < a->names.count; i++)
        code = add_merged(s, make_spec(NULL, "task", a->names.items[i]), s->fields, false);
    if (s->count || code) return code;
    return pdk_say_usage(a->verb, "a TASK, a FILE, --kind KIND, or a command behind --", "submit what?");
}

int pdk_handover_make(struct pdk_handover *s, struct pdk_arguments *arguments, bool local) {
    *s = (struct pdk_handover){.setup = {.arguments = arguments}};
    int code = check_texts(arguments);
    for (size_t i = 0; code == 0 && i < arguments->env_files.count; i++)
        code = pdk_env_file_read(arguments->env_files.items[i]);
    if (code == 0) code = pdk_submit_fields(&s->setup, &s->fields);
    return code ? code : choose(s, arguments, local);
}

void pdk_handover_free(struct pdk_handover *s) {
    for (size_t i = 0; i < s->count; i++) pdk_values_get()->drop(s->items[i].spec);
    free(s->items);
    pdk_setup_free(&s->setup);
    pdk_values_get()->drop(s->text);
    pdk_values_get()->drop(s->fields);
}
