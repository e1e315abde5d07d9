/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a [program:x]. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/import/supervisord.h"

#define SHOWN          120
#define NO_COUNTERPART "has no counterpart here"

struct work {
    struct pdk_supervisord *all;
    struct pdk_program *program;
    struct pdk_import_task *task;
    const struct pdk_ini_line *line;
    const char *value; /* expanded */
};

/* NULL: done; else why it could not be. */
typedef const char *(*taker)(struct work *work);

void pdk_program_note(struct pdk_supervisord *all, const struct pdk_program *program, const struct pdk_ini_line *line,
                      const char *why) {
    struct pdk_import_notes *notes = program->task ? &program->task->notes : &all->import->notes;
    pdk_import_note(all->import, notes, line->at, "%.60s=%.*s%s %s", line->key, SHOWN, line->value,
                    strcmp(why, NO_COUNTERPART) == 0 ? "" : ":", why);
}

/* ---- expansion */

static const char *variable(struct work *work, const char *name, size_t size, bool shell, struct pdk_buffer *to) {
    static const char number[] = "process_num";
    struct pdk_import *import = work->all->import;
    char word[64];
    if (size > 4 && strncmp(name, "ENV_", 4) == 0 && pdk_import_is_variable(name + 4, size - 4)) {
        pdk_buffer_format(to, PDK_IMPORT_OPEN "%.*s:-}", (int)size - 4, name + 4);
        return NULL;
    }
    if (size >= sizeof word) return "this variable is not known";
    memcpy(word, name, size);
    word[size] = '\0';
    if (strcmp(word, "here") == 0)
        pdk_buffer_text(to, work->line->at.source->folder[0] ? work->line->at.source->folder : ".");
    else if (strcmp(word, "program_name") == 0)
        pdk_buffer_text(to, work->program->name);
    else if (strcmp(word, "group_name") == 0)
        pdk_buffer_text(to, work->program->name);
    else if (strcmp(word, "numprocs") == 0)
        pdk_buffer_text(to,
                        pdk_program_get(work->program, "numprocs") ? pdk_program_get(work->program, "numprocs") : "1");
    else if (strcmp(word, number) == 0)
        return shell ? number : "the number of a copy is $PADDOCK_REPLICA, for commands alone";
    else
        return "this variable is not known";
    return import->error ? "" : NULL;
}

/* Stands for the number of a copy, in a way in which words can be split: \x02, a format such as 02d, \x03. */
static void put_mark(const char *format, size_t size, struct pdk_buffer *to) {
    pdk_buffer_format(to, "\x02%.*s\x03", (int)size, format);
}

/* One %(name)s from behind the %. Returns what follows it; NULL with *why set. */
static const char *expand_one(struct work *work, const char *at, bool shell, struct pdk_buffer *to, const char **why) {
    const char *end = strchr(at, ')'), *format = end ? end + 1 : NULL;
    size_t size = format ? strspn(format, "0123456789") : 0;
    *why = "a % that begins no variable";
    if (*at != '(' || !end || !strchr("sdi", format[size]) || !format[size] || size > 3) return NULL;
    *why = variable(work, at + 1, (size_t)(end - at) - 1, shell, to);
    if (*why && shell && strcmp(*why, "process_num") == 0) {
        put_mark(format, size + 1, to);
        *why = NULL;
    }
    return *why ? NULL : format + size + 1;
}

static const char *expand(struct work *work, bool shell, const char **why) {
    struct pdk_import *import = work->all->import;
    struct pdk_buffer to = PDK_BUFFER(PDK_IMPORT_LINE_BYTES);
    const char *text = work->line->value;
    *why = NULL;
    while (text && *text) {
        size_t plain = strcspn(text, "%");
        pdk_buffer_add(&to, text, plain);
        text += plain;
        if (text[0] == '%' && text[1] == '%') {
            pdk_buffer_text(&to, "%");
            text += 2;
        } else if (*text == '%') {
            text = expand_one(work, text + 1, shell, &to, why);
        }
    }
    if (to.error == -E2BIG) *why = "this is too long";
    if (!*why) return pdk_import_taken(import, &to);
    if (to.error != -E2BIG) pdk_import_check(import, &to);
    pdk_buffer_free(&to);
    return NULL;
}

const char *pdk_program_expand(struct pdk_supervisord *all, const struct pdk_program *program,
                               const struct pdk_ini_line *line, bool shell) {
    struct work work = {.all = all, .program = (struct pdk_program *)(uintptr_t)program, .line = line};
    const char *why, *text = expand(&work, shell, &why);
    if (why) pdk_program_note(all, program, line, why);
    return text;
}

/* ---- the command */

/* process_num counts from numprocs_start, PADDOCK_REPLICA from 1. */
static void put_number(struct work *work, const char *format, size_t size, struct pdk_buffer *to) {
    const char *start = pdk_program_get(work->program, "numprocs_start");
    uint64_t first = 0;
    char number[64] = "$PADDOCK_REPLICA";
    if (start && !pdk_import_number(start, 1000000, &first)) first = 0;
    if (first == 0) (void)strlcpy(number, "$((PADDOCK_REPLICA - 1))", sizeof number);
    if (first > 1) (void)snprintf(number, sizeof number, "$((PADDOCK_REPLICA + %u))", (unsigned)(first - 1));
    if (size > 1)
        pdk_buffer_format(to, "$(printf %%%.*s %s)", (int)size, format, number);
    else
        pdk_buffer_text(to, number);
}

/* Words for the shell, numbers of copies being what it computes. */
static void put_shell_words(struct work *work, const char **words, size_t count) {
    struct pdk_import *import = work->all->import;
    struct pdk_buffer to = PDK_BUFFER(PDK_IMPORT_LINE_BYTES * 4);
    pdk_buffer_text(&to, "exec");
    for (size_t i = 0; i < count; i++) {
        const char *at = words[i];
        pdk_buffer_text(&to, " ");
        while (*at) {
            size_t size = strcspn(at, "\x02");
            const char *piece = pdk_import_copy(import, at, size), *end;
            if (piece && size) pdk_import_quote(&to, piece);
            at += size;
            if (*at != '\x02' || !(end = strchr(at, '\x03'))) break;
            pdk_buffer_text(&to, "\"");
            put_number(work, at + 1, (size_t)(end - at) - 1, &to);
            pdk_buffer_text(&to, "\"");
            at = end + 1;
        }
        if (!*words[i]) pdk_buffer_text(&to, "''");
    }
    (void)pdk_import_shell(import, work->task, "command", pdk_import_taken(import, &to));
}

static const char *take_command(struct work *work) {
    struct pdk_import *import = work->all->import;
    const char *why, *text = expand(work, true, &why), **words;
    size_t count;
    if (why) text = work->line->value;
    if (!text) return NULL;
    int32_t rc = pdk_import_split(import, text, &words, &count);
    if (rc == -EINVAL)
        (void)pdk_import_fault(import, work->line->at, NULL, "close it", "a quote is opened and not closed");
    else if (rc == 0 && (count == 0 || !*words[0]))
        (void)pdk_import_fault(import, work->line->at, NULL, "command=PROGRAM ARGUMENT...", "an empty command");
    if (import->error) return NULL;
    if (strchr(text, '\x02')) {
        put_shell_words(work, words, count);
    } else {
        struct pdk_import_node *list = pdk_import_list(import, work->task, "command");
        for (size_t i = 0; i < count; i++)
            (void)pdk_import_item(import, list, i ? words[i] : pdk_import_solid(import, words[i]));
    }
    return why;
}

/* ---- values */

static bool is_variable_free(const char *text) {
    return !strchr(text, PDK_IMPORT_OPEN[0]);
}

static const char *take_numprocs(struct work *work) {
    uint64_t n;
    if (!pdk_import_number(work->value, 1000, &n) || n == 0) return "1 to 1000 copies are possible";
    if (n > 1) (void)pdk_import_plain(work->all->import, work->task, "replicas", "%u", (unsigned)n);
    return NULL;
}

static const char *take_process_name(struct work *work) {
    const char *value = work->line->value;
    return strcmp(value, "%(program_name)s") == 0 || strstr(value, "%(process_num)")
               ? NULL
               : "a task has the name of its program";
}

static const char *take_priority(struct work *work) {
    uint64_t n;
    if (!pdk_import_number(work->value, UINT32_MAX, &n)) return "a number is wanted";
    work->program->priority = (uint32_t)n;
    return NULL;
}

static const char *take_autostart(struct work *work) {
    bool on;
    if (!pdk_ini_bool(work->value, &on)) return "true or false is wanted";
    if (!on) (void)pdk_import_plain(work->all->import, work->task, "manual", "true");
    return NULL;
}

/* Also when it is not there: supervisord restarts what ended unexpectedly. */
static const char *take_autorestart(struct work *work) {
    bool on = true;
    bool unexpected = strcasecmp(work->value, "unexpected") == 0;
    if (!unexpected && !pdk_ini_bool(work->value, &on)) return "true, false or unexpected is wanted";
    if (on) (void)pdk_import_plain(work->all->import, work->task, "restart", unexpected ? "on-failure" : "always");
    return NULL;
}

static const char *take_startsecs(struct work *work) {
    uint64_t n;
    if (!pdk_import_number(work->value, 86400, &n)) return "seconds are wanted, up to a day";
    if (n)
        (void)pdk_import_plain(work->all->import, work->task, "ready", "%s",
                               pdk_import_duration(work->all->import, n * PDK_SECOND));
    return NULL;
}

/* So many starts, each a second later than the one before: what this takes is the time in which failures count. */
static const char *take_startretries(struct work *work) {
    struct pdk_import *import = work->all->import;
    const char *restart = pdk_program_get(work->program, "autorestart"),
               *startsecs = pdk_program_get(work->program, "startsecs");
    uint64_t n, seconds = 1, within;
    bool on = true;
    if (!pdk_import_number(work->value, 1000, &n) || n == 0) return "1 to 1000 retries are possible";
    if (restart && pdk_ini_bool(restart, &on) && !on) return "it is not restarted";
    if (startsecs && !pdk_import_number(startsecs, 86400, &seconds)) seconds = 1;
    within = (n * (n + 1) / 2 + n * seconds + 59) / 60 * PDK_MINUTE;
    if (within > 365 * PDK_DAY) within = 365 * PDK_DAY;
    (void)pdk_import_plain(import, work->task, "retries.limit", "%u", (unsigned)n);
    (void)pdk_import_plain(import, work->task, "retries.within", "%s", pdk_import_duration(import, within));
    return NULL;
}

static const char *take_exitcodes(struct work *work) {
    struct pdk_import *import = work->all->import;
    bool seen[256] = {false}, only_zero = true;
    for (const char *at = work->value; *at;) {
        size_t size = strcspn(at, ", \t\n");
        const char *word = pdk_import_copy(import, at, size);
        uint64_t code;
        if (!word) return NULL;
        if (size && !pdk_import_number(word, 255, &code)) return "codes from 0 to 255 are wanted";
        if (size) seen[code] = true;
        if (size && code) only_zero = false;
        at += size + (at[size] != '\0');
    }
    if (only_zero && seen[0]) return NULL;
    struct pdk_import_node *list = pdk_import_list(import, work->task, "exit.success");
    for (unsigned code = 0; code < 256; code++) {
        struct pdk_import_node *item =
            seen[code] ? pdk_import_item(import, list, pdk_import_format(import, "%u", code)) : NULL;
        if (item) item->plain = true;
    }
    return NULL;
}

static const char *take_stopsignal(struct work *work) {
    int32_t number;
    if (pdk_signal_parse(work->value, &number) < 0) return "no signal that can be sent by name";
    if (number != 15)
        (void)pdk_import_plain(work->all->import, work->task, "stop.signal", "%s", pdk_signal_name(number));
    return NULL;
}

static const char *take_stopwaitsecs(struct work *work) {
    uint64_t n;
    if (!pdk_import_number(work->value, 86400, &n)) return "seconds are wanted, up to a day";
    if (n != 10)
        (void)pdk_import_plain(work->all->import, work->task, "stop.grace", "%s",
                               pdk_import_duration(work->all->import, n * PDK_SECOND));
    return NULL;
}

static const char *take_stopasgroup(struct work *work) {
    bool on;
    if (!pdk_ini_bool(work->value, &on)) return "true or false is wanted";
    if (!on) (void)pdk_import_plain(work->all->import, work->task, "stop.to", "leader");
    return NULL;
}

static const char *take_killasgroup(struct work *work) {
    bool on;
    if (!pdk_ini_bool(work->value, &on)) return "true or false is wanted";
    return on ? NULL : "in the end all that it started is killed, always";
}

static const char *take_user(struct work *work) {
    if (!is_variable_free(work->value) || !pdk_import_user_is_good(work->value)) return "this cannot be a user here";
    (void)pdk_import_set(work->all->import, work->task, "user", work->value);
    return NULL;
}

static const char *take_umask(struct work *work) {
    size_t size = strlen(work->value);
    if (size == 0 || size > 4 || work->value[strspn(work->value, "01234567")]) return "an octal number is wanted";
    (void)pdk_import_plain(work->all->import, work->task, "with.umask", "%04u",
                           (unsigned)strtoul(work->value, NULL, 10));
    return NULL;
}

static const char *take_directory(struct work *work) {
    if (!*work->value || strlen(work->value) > 4000) return "a path is wanted";
    (void)pdk_import_set(work->all->import, work->task, "cwd", pdk_import_solid(work->all->import, work->value));
    return NULL;
}

/* KEY="value",KEY2=value2 */
static const char *take_environment(struct work *work) {
    struct pdk_import *import = work->all->import;
    struct pdk_buffer value = PDK_BUFFER(PDK_IMPORT_LINE_BYTES);
    const char *at = work->value, *why = NULL;
    while (!why && *(at += strspn(at, ", \t\n"))) {
        size_t size = strcspn(at, "=,");
        const char *name = pdk_import_trim(import, at, size);
        char quote = 0;
        at += size;
        value.size = 0;
        if (*at != '=') why = "NAME=value is wanted";
        if (*at == '=') at += 1 + strspn(at + 1, " \t\n");
        for (; !why && *at && (quote || !strchr(",\n", *at)); at++) {
            if (quote ? *at == quote : *at == '"' || *at == '\'')
                quote = quote ? 0 : *at;
            else
                pdk_buffer_add(&value, *at == '\\' && quote == '"' && strchr("\"\\", at[1]) && at[1] ? ++at : at, 1);
        }
        if (quote) why = "a quote is opened and not closed";
        const char *text = why ? NULL : pdk_import_trim(import, pdk_buffer_string(&value), value.size);
        if (text && name && !pdk_import_env(import, work->task, name, text)) why = "a name is letters, digits and _";
    }
    pdk_import_check(import, &value);
    pdk_buffer_free(&value);
    return why;
}

/* ---- output */

/* What supervisord itself would print: Paddock does, too. */
static bool is_own_output(const char *path) {
    static const char *const words[] = {"/dev/stdout",     "/dev/stderr",     "/dev/fd/1",
                                        "/dev/fd/2",       "/proc/1/fd/1",    "/proc/1/fd/2",
                                        "/proc/self/fd/1", "/proc/self/fd/2", "AUTO"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(path, words[i]) == 0) return true;
    return false;
}

static bool has_file(const struct work *work) {
    return pdk_import_find(work->task, "log.file") != NULL;
}

static const char *take_stdout(struct work *work) {
    if (is_own_output(work->value)) return NULL;
    if (!*work->value || strcasecmp(work->value, "NONE") == 0 || strcasecmp(work->value, "syslog") == 0)
        return "its output goes to Paddock's";
    if (strlen(work->value) > 4000) return "this path is too long";
    (void)pdk_import_set(work->all->import, work->task, "log.file", pdk_import_solid(work->all->import, work->value));
    return NULL;
}

static const char *take_stderr(struct work *work) {
    const char *redirect = pdk_program_get(work->program, "redirect_stderr");
    bool on;
    if (is_own_output(work->value)) return NULL;
    if (redirect && pdk_ini_bool(redirect, &on) && on) return NULL;
    if (!*work->value || strcasecmp(work->value, "NONE") == 0 || strcasecmp(work->value, "syslog") == 0)
        return "its errors go where its output goes";
    if (!has_file(work)) return "errors alone cannot have a file";
    if (strlen(work->value) > 4000) return "this path is too long";
    (void)pdk_import_set(work->all->import, work->task, "log.stderr", pdk_import_solid(work->all->import, work->value));
    return NULL;
}

static const char *take_redirect(struct work *work) {
    bool on;
    if (!pdk_ini_bool(work->value, &on)) return "true or false is wanted";
    if (on && !has_file(work)) (void)pdk_import_plain(work->all->import, work->task, "with.merge_stderr", "true");
    return NULL;
}

/* 50MB are 50 * 1024 * 1024. */
static const char *take_maxbytes(struct work *work) {
    static const struct {
        const char *unit;
        uint64_t bytes;
    } units[] = {{"kb", 1u << 10}, {"mb", 1u << 20}, {"gb", 1u << 30}, {"", 1}};
    struct pdk_import *import = work->all->import;
    size_t digits = strspn(work->value, "0123456789");
    const char *number = pdk_import_copy(import, work->value, digits);
    uint64_t n = 0;
    if (!has_file(work)) return NULL;
    if (!number || !pdk_import_number(number, 1u << 30, &n)) return "a size is wanted";
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcasecmp(work->value + digits, units[i].unit) != 0) continue;
        if (n == 0) return "a file that grows for ever";
        if (n * units[i].bytes < 4096) return "4KiB is the least";
        (void)pdk_import_plain(import, work->task, "log.max_size", "%s", pdk_import_size(import, n * units[i].bytes));
        return NULL;
    }
    return "a size is wanted";
}

static const char *take_backups(struct work *work) {
    uint64_t n;
    if (!has_file(work)) return NULL;
    if (!pdk_import_number(work->value, 100, &n)) return "0 to 100 old files can be kept";
    if (n != 5) (void)pdk_import_plain(work->all->import, work->task, "log.keep", "%u", (unsigned)n);
    return NULL;
}

/* For both outputs there is one size and number. */
static const char *take_stderr_limit(struct work *work) {
    char key[64] = "stdout";
    (void)strlcat(key, work->line->key + strlen("stderr"), sizeof key);
    const char *other = pdk_program_get(work->program, key);
    if (!pdk_import_find(work->task, "log.stderr")) return NULL;
    return other && strcmp(other, work->line->value) == 0 ? NULL : "it is the same as of the output";
}

static const char *take_nothing(struct work *work) {
    (void)work;
    return NULL;
}

/* In the order in which they are done: some look at what others have done. */
static const struct {
    const char *key;
    taker take;
} keys[] = {{"numprocs", take_numprocs},
            {"numprocs_start", take_nothing},
            {"process_name", take_process_name},
            {"priority", take_priority},
            {"autostart", take_autostart},
            {"autorestart", take_autorestart},
            {"startsecs", take_startsecs},
            {"startretries", take_startretries},
            {"exitcodes", take_exitcodes},
            {"stopsignal", take_stopsignal},
            {"stopwaitsecs", take_stopwaitsecs},
            {"stopasgroup", take_stopasgroup},
            {"killasgroup", take_killasgroup},
            {"user", take_user},
            {"umask", take_umask},
            {"directory", take_directory},
            {"environment", take_environment},
            {"stdout_logfile", take_stdout},
            {"stderr_logfile", take_stderr},
            {"redirect_stderr", take_redirect},
            {"stdout_logfile_maxbytes", take_maxbytes},
            {"stdout_logfile_backups", take_backups},
            {"stderr_logfile_maxbytes", take_stderr_limit},
            {"stderr_logfile_backups", take_stderr_limit}};

static bool is_key(const char *key) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].key, key) == 0) return true;
    return strcmp(key, "command") == 0;
}

static void take_key(struct work *work, const char *key, taker take) {
    const char *why = NULL;
    for (uint32_t i = 0; i < work->program->line_count && !work->all->import->error; i++) {
        work->line = work->program->lines[i];
        if (strcmp(work->line->key, key) != 0) continue;
        work->value = take == take_process_name || take == take_nothing ? "" : expand(work, false, &why);
        if (work->value && !why) why = take(work);
        if (why && !work->all->import->error) pdk_program_note(work->all, work->program, work->line, why);
    }
}

void pdk_program_translate(struct pdk_supervisord *all, struct pdk_program *program) {
    struct pdk_import *import = all->import;
    struct work work = {.all = all, .program = program};
    const struct pdk_ini_line *command = pdk_table_get(&program->by_key, "command", 7);
    if (!command) {
        (void)pdk_import_fault(import, program->at, NULL, "add command=PROGRAM ARGUMENT...", "[%.80s] has no command",
                               program->section);
        return;
    }
    program->task = work.task = pdk_import_task(import, program->name, program->at);
    program->priority = 999;
    if (!work.task) return;
    work.line = command;
    const char *why = take_command(&work);
    if (why && !import->error) pdk_program_note(all, program, command, why);
    if (!pdk_program_get(program, "autorestart")) (void)pdk_import_plain(import, work.task, "restart", "on-failure");
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !import->error; i++)
        take_key(&work, keys[i].key, keys[i].take);
    for (uint32_t i = 0; i < program->line_count && !import->error; i++)
        if (!is_key(program->lines[i]->key)) pdk_program_note(all, program, program->lines[i], NO_COUNTERPART);
    if (strncmp(program->section, "fcgi-", 5) == 0)
        pdk_import_note(import, &work.task->notes, program->at, "[%.80s]: a socket for FastCGI is not made",
                        program->section);
}
