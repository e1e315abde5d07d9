/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of the fields that programs need: environment, user, limits, exit codes, signals. */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/spec/body.h"
#include "core/spec/scalar.h"

/* No task reads more. */
#define ENV_FILES 1000

/* Environment. */

static bool variable_name(const char *name) {
    if (!isalpha((unsigned char)name[0]) && name[0] != '_') return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_') return false;
    return true;
}

/* {file: P}, {env: N} or {credential: N}. */
static void check_secret(struct pdk_reading *reading, const pdk_value *value) {
    static const char *const forms[] = {"file", "env", "credential", NULL};
    static const char expected[] = "a secret is {file: PATH}, {env: NAME} or {credential: NAME}";
    const struct pdk_value_entry *entry = value->as.map.entries;
    const char *text;
    size_t form = 0;
    if (value->size != 1) {
        pdk_reading_fault(reading, value, expected, NULL, "expected one key, found %u", value->size);
        return;
    }
    while (forms[form] && strcmp(entry->key, forms[form]) != 0) form++;
    if (!forms[form]) {
        pdk_reading_fault(reading, value, expected, pdk_nearest(entry->key, forms), "unknown secret \"%s\"",
                          entry->key);
    } else if (form < 2 && !reading->trusted) {
        pdk_reading_fault(reading, value, "use {credential: NAME}", NULL,
                          "only a task of a file may read a secret from %s", form == 0 ? "a file" : "our environment");
    } else {
        text = pdk_read_text(reading, entry->value, "text");
        if (text && (!*text || strlen(text) > PDK_PATH_BYTES))
            pdk_reading_fault(reading, entry->value, NULL, NULL, *text ? "this is too long" : "this cannot be empty");
    }
}

static void env_is_list(struct pdk_reading *reading, const pdk_value *value) {
    const char *first = value->size ? pdk_value_text(value->as.items[0]) : NULL;
    const char *equals = first ? strchr(first, '=') : NULL;
    char expected[160] = "write NAME: value";
    if (equals && equals - first < 60)
        (void)snprintf(expected, sizeof expected, "write %.*s: %.60s", (int)(equals - first), first, equals + 1);
    pdk_reading_fault(reading, value, expected, NULL, "expected a map, found a list");
}

PDK_READER(env) {
    struct pdk_task_body *body = base;
    (void)row;
    if (value->type == PDK_LIST) {
        env_is_list(reading, value);
        return;
    }
    if (!pdk_read_is_map(reading, value, "a map")) return;
    for (uint32_t i = 0; i < value->size; i++) {
        const struct pdk_value_entry *entry = &value->as.map.entries[i];
        if (!variable_name(entry->key))
            pdk_reading_fault_key(reading, entry->value, "expected letters, digits and _, no digit first",
                                  "\"%s\" cannot be a variable", entry->key);
        if (pdk_value_is_null(entry->value)) continue;
        if (entry->value->type == PDK_MAP)
            check_secret(reading, entry->value);
        else if (entry->value->type == PDK_LIST)
            (void)pdk_read_text(reading, entry->value, "text or a secret");
    }
    body->program.env = value;
}

static const struct pdk_field env_file_rows[] = {
    {PDK_FIELD_NAME("path"), .type = PDK_FIELD_PATH, .flags = PDK_FIELD_REQUIRED,
     .offset = offsetof(struct pdk_env_file, path)},
    {PDK_FIELD_NAME("optional"), .type = PDK_FIELD_BOOL, .offset = offsetof(struct pdk_env_file, optional)},
    {.name = NULL},
};

PDK_READER(env_file) {
    struct pdk_task_body *body = base;
    uint32_t count = value->type == PDK_LIST ? value->size : 1;
    struct pdk_env_file *files;
    (void)row;
    if (count > ENV_FILES) {
        pdk_reading_fault(reading, value, NULL, NULL, "more than %d files", ENV_FILES);
        return;
    }
    files = pdk_reading_alloc(reading, count * sizeof *files);
    if (!files) return;
    for (uint32_t i = 0; i < count; i++) {
        const pdk_value *item = value->type == PDK_LIST ? value->as.items[i] : value;
        if (item->type == PDK_MAP)
            pdk_fields_read(reading, env_file_rows, item, &files[i]);
        else
            files[i].path = pdk_read_path(reading, item);
    }
    body->program.env_files = files;
    body->program.env_file_count = count;
}

/* Who, and within which limits. */

PDK_READER(user) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    struct pdk_task_body *body = base;
    const char *text = pdk_read_text(reading, value, "a user");
    size_t name, group = 1;
    (void)row;
    if (!text) return;
    name = strspn(text, letters);
    if (text[name] == ':') group = strspn(text + name + 1, letters);
    if (name == 0 || group == 0 || strlen(text) != name + (text[name] == ':' ? group + 1 : 0))
        pdk_reading_fault(reading, value, "expected name or name:group", NULL, "\"%.80s\" is not a user", text);
    else
        body->program.user = text;
}

PDK_READER(resources) {
    if (pdk_read_is_map(reading, value, "a map")) pdk_fields_read(reading, row->fields, value, base);
}

/* Exit codes. */

const char *const pdk_exit_names[] = {"success", "retry", "fatal", NULL};

struct exit_codes {
    const pdk_value *given[PDK_EXIT_LISTS];
    const pdk_value *seen[256]; /* where each code was used first */
};

static bool code_number(const char *text, char **ret_end, unsigned *ret) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || (digits > 1 && text[0] == '0')) return false;
    *ret = 0;
    for (size_t i = 0; i < digits; i++) *ret = *ret * 10 + (unsigned)(text[i] - '0');
    *ret_end = (char *)(uintptr_t)(text + digits);
    return *ret <= 255;
}

/* "n" or "n-m" */
static bool code_range(const char *text, unsigned *ret_first, unsigned *ret_last) {
    char *end;
    if (!code_number(text, &end, ret_first)) return false;
    *ret_last = *ret_first;
    if (*end == '-' && !code_number(end + 1, &end, ret_last)) return false;
    return *end == '\0' && *ret_first <= *ret_last;
}

static void code_twice(struct pdk_reading *reading, unsigned code, const pdk_value *at, const pdk_value *first) {
    char message[80], path[512];
    struct pdk_fault fault = {.code = -EINVAL, .place = pdk_value_place(at), .note = pdk_value_place(first)};
    (void)snprintf(message, sizeof message, "exit code %u is here twice", code);
    fault.path = pdk_scalar_path(at, path, sizeof path);
    fault.message = message;
    fault.expected = "every code once";
    fault.note_text = "the first is here";
    pdk_reading_error(reading, pdk_report_add(reading->report, &fault));
}

static void read_code(struct pdk_reading *reading, struct exit_codes *codes, const pdk_value *value) {
    const char *text = pdk_value_text(value);
    unsigned first, last;
    if (!text || !code_range(text, &first, &last)) {
        pdk_reading_fault(reading, value, "expected 0 to 255, or a range such as 1-63", NULL,
                          text ? "\"%.40s\" is not an exit code" : "%s is not an exit code", text ? text : "this");
        return;
    }
    for (unsigned code = first; code <= last; code++) {
        if (codes->seen[code]) {
            code_twice(reading, code, value, codes->seen[code]);
            return;
        }
        codes->seen[code] = value;
    }
}

PDK_READER(exit) {
    struct pdk_task_body *body = base;
    struct exit_codes codes;
    if (!pdk_read_is_map(reading, value, "a map")) return;
    memset(&codes, 0, sizeof codes);
    pdk_fields_read(reading, row->fields, value, &codes);
    for (int list = 0; list < PDK_EXIT_LISTS; list++) {
        const pdk_value *given = codes.given[list];
        if (!given) continue;
        if (given->type != PDK_LIST)
            read_code(reading, &codes, given);
        else
            for (uint32_t i = 0; i < given->size; i++) read_code(reading, &codes, given->as.items[i]);
    }
    body->program.exit = value;
}

/* Stop and reload. */

static const char *const signals[] = {"TERM",  "HUP",  "INT",  "QUIT", "USR1", "USR2",
                                      "WINCH", "CONT", "ALRM", "KILL", NULL};

/* The name without SIG, or NULL. */
static const char *signal_name(const char *text) {
    int32_t number;
    if (pdk_signal_parse(text, &number) < 0) return NULL;
    return strncmp(text, "SIG", 3) == 0 ? text + 3 : text;
}

static const char *read_signal(struct pdk_reading *reading, const pdk_value *value, const char *expected) {
    const char *text = pdk_read_text(reading, value, "a signal"), *name = text ? signal_name(text) : NULL;
    if (text && !name)
        pdk_reading_fault(reading, value, expected,
                          pdk_nearest(strncmp(text, "SIG", 3) == 0 ? text + 3 : text, signals),
                          "\"%.80s\" is not a signal", text);
    return name;
}

PDK_READER(stop_signal) {
    const char *name = read_signal(reading, value, "expected a name such as TERM, INT or QUIT");
    (void)row;
    if (name) ((struct pdk_task_body *)base)->program.stop_signal = name;
}

PDK_READER(stop) {
    const pdk_value *command;
    if (value->type == PDK_MAP) {
        pdk_fields_read(reading, row->fields, value, base);
        command = ((struct pdk_task_body *)base)->program.stop_command;
        if (command && (reading->marks & PDK_MARK_STOP_SIGNAL))
            pdk_reading_fault_key(reading, command, "remove one of them", "either a signal or a command");
    } else {
        reading->marks |= PDK_MARK_STOP_SIGNAL;
        pdk_read_stop_signal(reading, row, value, base);
    }
}

PDK_READER(reload) {
    struct pdk_program *program = &((struct pdk_task_body *)base)->program;
    (void)row;
    if (value->type != PDK_LIST)
        program->reload_signal =
            read_signal(reading, value, "a command must be a list here, such as [nginx, -s, reload]");
    else if (pdk_read_command(reading, value))
        program->reload_command = value;
}
