/* SPDX-License-Identifier: Apache-2.0 */
/* A task and the schema of its kind: what programs need goes into `with`, the schema completes it. Also other copies. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/spec/body.h"
#include "core/spec/completion.h"

static void put_text(pdk_writer *writer, const char *text) {
    pdk_values_get()->put_string(writer, text, strlen(text));
}

static void put_pair(pdk_writer *writer, const char *key, const char *text) {
    pdk_values_get()->key(writer, key);
    put_text(writer, text);
}

/* Text is run by the shell; a list is taken as it is, its words as text. */
/* What is text already is shared. */
static void put_word(pdk_writer *writer, const pdk_value *word) {
    if (word->type == PDK_STRING) {
        pdk_values_get()->put_value(writer, word);
        return;
    }
    pdk_writer_like(writer, word);
    put_text(writer, pdk_value_text(word));
}

static void put_words(pdk_writer *writer, const pdk_value *command) {
    const pdk_values *values = pdk_values_get();
    pdk_writer_like(writer, command);
    values->put_list(writer);
    if (command->type != PDK_LIST) {
        put_text(writer, "/bin/sh");
        put_text(writer, "-c");
        pdk_writer_like(writer, command);
        put_text(writer, pdk_value_text(command));
    } else {
        for (uint32_t i = 0; i < command->size; i++) put_word(writer, command->as.items[i]);
    }
    values->end(writer);
}

static void put_command(pdk_writer *writer, const struct pdk_task_body *body) {
    put_words(writer, body->program.command);
}

/* {file: P}, {env: N} or {credential: N}; a path becomes absolute. Its length was checked when it was read. */
static void put_secret(pdk_writer *writer, const struct pdk_task_body *body, const pdk_value *secret) {
    const struct pdk_value_entry *entry = secret->as.map.entries;
    const char *text = pdk_value_text(entry->value), *folder = pdk_value_folder(entry->value);
    char path[2 * PDK_PATH_BYTES + 2];
    pdk_values_get()->put_map(writer);
    if (!folder) folder = body->program.folder;
    if (strcmp(entry->key, "file") == 0 && text[0] != '/') {
        (void)snprintf(path, sizeof path, "%s%s%s", folder, strcmp(folder, "/") != 0 ? "/" : "", text);
        text = path;
    }
    pdk_writer_like(writer, entry->value);
    put_pair(writer, entry->key, text);
    pdk_values_get()->end(writer);
}

static void put_env(pdk_writer *writer, const struct pdk_task_body *body) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *env = body->program.env;
    pdk_writer_like(writer, env);
    values->put_map(writer);
    for (uint32_t i = 0; i < env->size; i++) {
        const struct pdk_value_entry *entry = &env->as.map.entries[i];
        pdk_writer_key_like(writer, env, i);
        values->key(writer, entry->key);
        pdk_writer_like(writer, entry->value);
        if (pdk_value_is_null(entry->value))
            values->put_null(writer);
        else if (entry->value->type == PDK_MAP)
            put_secret(writer, body, entry->value);
        else
            put_text(writer, pdk_value_text(entry->value));
    }
    values->end(writer);
}

static void put_env_file(pdk_writer *writer, const struct pdk_task_body *body) {
    const pdk_values *values = pdk_values_get();
    values->put_list(writer);
    for (uint32_t i = 0; i < body->program.env_file_count; i++) {
        values->put_map(writer);
        put_pair(writer, "path", body->program.env_files[i].path);
        values->key(writer, "optional");
        values->put_bool(writer, body->program.env_files[i].optional);
        values->end(writer);
    }
    values->end(writer);
}

static void put_cwd(pdk_writer *writer, const struct pdk_task_body *body) {
    put_text(writer, body->program.cwd);
}

static void put_user(pdk_writer *writer, const struct pdk_task_body *body) {
    put_text(writer, body->program.user);
}

/* The next one stands where the task has this key of a field, if it has it. */
static void like_part(pdk_writer *writer, const struct pdk_task_body *body, const char *field, const char *key) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *source = body->task.source;
    const pdk_value *map = source->type == PDK_MAP ? values->get(source, field) : NULL;
    if (map && map->type == PDK_MAP) pdk_writer_like(writer, values->get(map, key));
}

static void put_resources(pdk_writer *writer, const struct pdk_task_body *body) {
    const pdk_values *values = pdk_values_get();
    const struct pdk_resources *resources = &body->program.resources;
    values->put_map(writer);
    if (resources->cpu > 0) {
        values->key(writer, "cpu");
        like_part(writer, body, "resources", "cpu");
        values->put_number(writer, resources->cpu);
    }
    if (resources->memory) {
        values->key(writer, "memory");
        like_part(writer, body, "resources", "memory");
        values->put_int(writer, (int64_t)resources->memory);
    }
    if (resources->pids) {
        values->key(writer, "pids");
        like_part(writer, body, "resources", "pids");
        values->put_int(writer, resources->pids);
    }
    values->end(writer);
}

static void put_codes(pdk_writer *writer, const pdk_value *codes) {
    const pdk_values *values = pdk_values_get();
    values->put_list(writer);
    if (codes && codes->type != PDK_LIST)
        put_text(writer, pdk_value_text(codes));
    else
        for (uint32_t i = 0; codes && i < codes->size; i++) put_text(writer, pdk_value_text(codes->as.items[i]));
    values->end(writer);
}

/* Is 0 named somewhere? Then it is no success by default. */
static bool zero_is_named(const pdk_value *exit) {
    for (uint32_t i = 0; i < exit->size; i++) {
        const pdk_value *codes = exit->as.map.entries[i].value;
        uint32_t count = codes->type == PDK_LIST ? codes->size : 1;
        for (uint32_t k = 0; k < count; k++) {
            const char *text = pdk_value_text(codes->type == PDK_LIST ? codes->as.items[k] : codes);
            if (text && text[0] == '0' && (text[1] == '\0' || text[1] == '-')) return true;
        }
    }
    return false;
}

static void put_exit(pdk_writer *writer, const struct pdk_task_body *body) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *exit = body->program.exit;
    values->put_map(writer);
    for (int list = 0; list < PDK_EXIT_LISTS; list++) {
        const pdk_value *codes = exit ? values->get(exit, pdk_exit_names[list]) : NULL;
        values->key(writer, pdk_exit_names[list]);
        if (codes || list != PDK_EXIT_SUCCESS || (exit && zero_is_named(exit))) {
            put_codes(writer, codes);
        } else {
            values->put_list(writer);
            put_text(writer, "0");
            values->end(writer);
        }
    }
    values->end(writer);
}

static void put_stop(pdk_writer *writer, const struct pdk_task_body *body) {
    const pdk_values *values = pdk_values_get();
    values->put_map(writer);
    put_pair(writer, "signal", body->program.stop_signal);
    put_pair(writer, "to", body->program.stop_to == PDK_STOP_LEADER ? "leader" : "group");
    if (body->program.stop_command) {
        values->key(writer, "command");
        put_words(writer, body->program.stop_command);
    }
    values->end(writer);
}

static void put_input(pdk_writer *writer, const struct pdk_task_body *body) {
    pdk_values_get()->put_value(writer, body->task.plugin.input);
}

static void put_reload(pdk_writer *writer, const struct pdk_task_body *body) {
    const pdk_values *values = pdk_values_get();
    values->put_map(writer);
    if (body->program.reload_command) {
        values->key(writer, "command");
        put_words(writer, body->program.reload_command);
    } else {
        put_pair(writer, "signal", body->program.reload_signal);
    }
    values->end(writer);
}

static void put_notify(pdk_writer *writer, const struct pdk_task_body *body) {
    pdk_values_get()->put_bool(writer, body->program.notify);
}

/* What is handed on, under which name, and whether it always is. A kind that lacks the row refuses what the task wrote
 * itself; what came from defaults, meant for all tasks of a file, is dropped. */
static const struct pdk_handed handed[] = {
    {"command", "command", PDK_MARK_COMMAND, PDK_STRINGS, false, false, put_command},
    {"env", "env", PDK_MARK_ENV, PDK_MAP, false, false, put_env},
    {"env_file", "env_file", PDK_MARK_ENV_FILE, PDK_LIST, false, false, put_env_file},
    {"cwd", "cwd", PDK_MARK_CWD, PDK_STRING, true, false, put_cwd},
    {"user", "user", PDK_MARK_USER, PDK_STRING, false, false, put_user},
    {"resources", "resources", PDK_MARK_RESOURCES, PDK_MAP, false, false, put_resources},
    {"exit", "exit", PDK_MARK_EXIT, PDK_MAP, true, true, put_exit},
    {"stop", "stop", PDK_MARKS_STOP, PDK_MAP, true, true, put_stop},
    {"input", "input", 0, PDK_ANY, false, false, put_input},
    {"reload", "reload", PDK_MARK_RELOAD, PDK_MAP, false, false, put_reload},
    {"notify", "ready", PDK_MARK_READY_NOTIFY, PDK_BOOL, false, false, put_notify},
};

#define HANDED (sizeof handed / sizeof *handed)

const struct pdk_handed *pdk_handed_find(const char *name) {
    for (size_t i = 0; i < HANDED; i++)
        if (handed[i].name[0] == name[0] && !strcmp(handed[i].name, name)) return &handed[i];
    return NULL;
}

bool pdk_handed_given(const struct pdk_handed *row, const struct pdk_task_body *body) {
    return row->always || (body->given & row->marks) || (row->put == put_input && body->task.plugin.input);
}

/* Did the task itself write it? Its stop may say no more than grace, which is the supervisor's. */
static bool is_own(const struct pdk_task_body *body, const struct pdk_handed *row) {
    const pdk_value *stop;
    if (!(body->own & row->marks)) return false;
    if (row->put != put_stop) return true;
    stop = pdk_values_get()->get(body->task.source, "stop");
    if (!stop || stop->type != PDK_MAP) return true;
    for (uint32_t i = 0; i < stop->size; i++)
        if (strcmp(stop->as.map.entries[i].key, "grace") != 0) return true;
    return false;
}

static void refuse(struct pdk_reading *reading, const struct pdk_task_body *body, const struct pdk_handed *row,
                   const pdk_schema *schema) {
    const pdk_value *source = body->task.source;
    const pdk_value *at = source->type == PDK_MAP ? pdk_values_get()->get(source, row->field) : source;
    const char *kind = body->task.plugin.kind;
    if (!pdk_schema_find(schema, "command"))
        pdk_reading_fault_key(reading, at, "remove it, or kind: subprocess", "kind \"%.60s\" runs no program", kind);
    else
        pdk_reading_fault_key(reading, at, "remove it", "kind \"%.60s\" takes no %s", kind, row->name);
}

/* What the kind has no row for, and what it cannot do without. */
static void check_handed(struct pdk_reading *reading, const struct pdk_task_body *body, const pdk_schema *schema) {
    for (size_t i = 0; i < HANDED; i++) {
        const struct pdk_handed *row = &handed[i];
        const pdk_param *param = pdk_schema_find(schema, row->name);
        if (!param && is_own(body, row)) refuse(reading, body, row, schema);
        if (param && (param->flags & PDK_REQUIRED) && !pdk_handed_given(row, body))
            pdk_reading_fault_key(reading, body->task.source, "add it", "kind \"%.60s\" needs \"%s\"",
                                  body->task.plugin.kind, row->field);
    }
}

int32_t pdk_task_blank(const pdk_schema *schema, const pdk_value **ret) {
    struct pdk_task_body *body = pdk_task_new(0);
    struct pdk_completion completion = {.schema = schema, .body = body};
    struct pdk_report report = {.limit = 1};
    if (!body) return -ENOMEM;
    body->task.references = 1;
    body->task.source = &pdk_value_empty_map;
    body->program.stop_signal = PDK_STOP_SIGNAL;
    body->program.folder = body->program.cwd = "/";
    *ret = NULL;
    int32_t rc = pdk_completion_run(&completion, &report, ret);
    pdk_report_free(&report);
    pdk_task_drop(&body->task);
    return rc == -ENOMEM ? rc : 0;
}

int32_t pdk_task_complete(struct pdk_task *task, const pdk_schema *schema, const pdk_value *blank, const char *plugin,
                          struct pdk_report *report, struct pdk_task **ret) {
    struct pdk_task_body *body = pdk_task_body(task), *derived;
    struct pdk_reading reading = {.report = report, .folder = "/"};
    struct pdk_completion completion = {.schema = schema,
                                        .blank = blank,
                                        .plugin = plugin,
                                        .value = task->plugin.with,
                                        .at = body->with_at,
                                        .body = body};
    const pdk_value *with = NULL;
    int32_t rc;
    check_handed(&reading, body, schema);
    rc = pdk_completion_run(&completion, report, &with);
    if (rc == 0) rc = reading.error;
    derived = rc == 0 ? pdk_task_derive(task, 0) : NULL;
    if (!derived) {
        pdk_values_get()->drop(with);
        return rc < 0 ? rc : -ENOMEM;
    }
    derived->task.plugin.with = with;
    pdk_task_keep(derived, with);
    *ret = &derived->task;
    return 0;
}

static const char *copy_name(struct pdk_task_body *body, const char *name, const char *otherwise) {
    return name ? pdk_arena_text(&body->task.arena, name, strlen(name)) : otherwise;
}

/* Its labels, and paddock/replica. */
static int32_t label_replica(struct pdk_task_body *body, uint32_t replica) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *labels = body->task.plugin.labels, *more;
    char number[16];
    int size = snprintf(number, sizeof number, "%u", replica);
    pdk_writer *writer = values->open(values);
    values->put_map(writer);
    for (size_t i = 0; i < values->count(labels); i++) {
        values->key(writer, values->key_at(labels, i));
        values->put_value(writer, values->at(labels, i));
    }
    values->key(writer, "paddock/replica");
    values->put_string(writer, number, (size_t)size);
    values->end(writer);
    int32_t rc = values->close(writer, &more, NULL);
    if (rc < 0) return rc;
    body->task.plugin.labels = more;
    pdk_task_keep(body, more);
    return 0;
}

static void change_values(struct pdk_task_body *body, const struct pdk_task_change *change) {
    const pdk_values *values = pdk_values_get();
    if (change->with) {
        body->task.plugin.with = body->with_at = change->with;
        pdk_task_keep(body, values->hold(change->with));
    }
    if (change->input) {
        body->task.plugin.input = pdk_value_is_null(change->input) ? NULL : change->input;
        pdk_task_keep(body, values->hold(change->input));
    }
}

int32_t pdk_task_vary(struct pdk_task *task, const struct pdk_task_change *change, struct pdk_task **ret) {
    size_t names = (change->name ? strlen(change->name) + 1 : 0) + (change->slot ? strlen(change->slot) + 1 : 0);
    struct pdk_task_body *body = pdk_task_derive(task, names);
    if (!body) return -ENOMEM;
    body->task.plugin.name = copy_name(body, change->name, task->plugin.name);
    body->task.plugin.slot = copy_name(body, change->slot, task->plugin.slot);
    int32_t rc = body->task.plugin.name && body->task.plugin.slot ? 0 : -ENOMEM;
    if (rc == 0 && change->replica) rc = label_replica(body, change->replica);
    if (rc < 0) {
        pdk_task_drop(&body->task);
        return rc;
    }
    body->task.replica = change->replica;
    change_values(body, change);
    *ret = &body->task;
    return 0;
}
