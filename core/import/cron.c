/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crontabs of users and of the system. A period that is the same all day becomes `every`; another time of day cannot be
 * said yet, so its task is manual, with the times above it.
 */
#include <ctype.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/import/internal.h"

#define VARIABLES 64 /* set at once */
#define SHOWN     160

struct variable {
    const char *name, *value;
};

struct crontab {
    struct pdk_import *import;
    const struct pdk_import_source *source;
    const char *base;  /* name of the file */
    const char *shell; /* NULL: /bin/sh */
    struct variable variables[VARIABLES];
    size_t variable_count;
    bool system; /* a user stands before the command */
    struct pdk_import_task *first;
    uint32_t entries;
};

/* An entry: "*" "/5" ..., and what is behind them. */
struct entry {
    const char *times; /* as written */
    const char *fields[5];
    const char *user, *command;
};

/* ---- the words of a line */

static const char *take_word(struct pdk_import *import, const char **at) {
    *at += strspn(*at, " \t");
    size_t size = strcspn(*at, " \t");
    const char *word = pdk_import_copy(import, *at, size);
    *at += size + strspn(*at + size, " \t");
    return word;
}

static bool is_times(const char *word) {
    static const char letters[] = "0123456789*/,-?LWJANFEBMARPYULGSOCTVDHIjanfebmrpyulgsoctvdhiwW~";
    return *word && word[strspn(word, letters)] == '\0';
}

/* Times, user and command; false after a fault. */
static bool read_entry(struct crontab *tab, struct pdk_import_at at, const char *line, struct entry *entry) {
    const char *rest = line;
    size_t count = *line == '@' ? 1 : 5;
    for (size_t i = 0; i < count; i++) {
        entry->fields[i] = take_word(tab->import, &rest);
        if (!entry->fields[i]) return false;
        if (*line == '@' || is_times(entry->fields[i])) continue;
        (void)pdk_import_fault(tab->import, at, entry->fields[i], "expected minute, hour, day, month, day of the week",
                               *entry->fields[i] ? "\"%.60s\" is not a time" : "a time is missing%s", entry->fields[i]);
        return false;
    }
    entry->times = count == 1 ? entry->fields[0]
                              : pdk_import_format(tab->import, "%s %s %s %s %s", entry->fields[0], entry->fields[1],
                                                  entry->fields[2], entry->fields[3], entry->fields[4]);
    entry->user = tab->system ? take_word(tab->import, &rest) : NULL;
    entry->command = pdk_import_trim(tab->import, rest, strlen(rest));
    if (tab->import->error) return false;
    if (!*entry->command)
        (void)pdk_import_fault(tab->import, at, NULL,
                               tab->system ? "expected TIMES USER COMMAND" : "expected TIMES COMMAND",
                               "there is no command");
    return !tab->import->error;
}

/* ---- a name for it */

/* Words that are not what a command does, and those whose next word is only looked at. */
static const char *const guards[] = {"[",  "]",    "test", "if",   "then",    "fi",   "&&",   "||",     ";",
                                     "!",  "{",    "}",    "exec", "env",     "sudo", "sh",   "bash",   "-c",
                                     "-a", "perl", "php",  "ruby", "python3", "node", "nice", "ionice", NULL};
static const char *const looks[] = {"-x", "-e", "-f", "-d", "-n", "-v", "command", "cd", ">", NULL};

static bool is_one_of(const char *word, size_t size, const char *const *words) {
    for (; *words; words++)
        if (strlen(*words) == size && memcmp(*words, word, size) == 0) return true;
    return false;
}

/* The word of a command that says what it does: the program, behind guards such as `test -x FILE &&`. */
static const char *program(struct pdk_import *import, const char *command) {
    const char *rest = command, *word;
    bool skip = false;
    while (*rest && (word = take_word(import, &rest)) && *word) {
        const char *slash = strrchr(word, '/'), *base = slash && slash[1] ? slash + 1 : word;
        size_t size = strcspn(base, ";");
        bool look = is_one_of(word, strlen(word), looks);
        bool guard = skip || look || is_one_of(base, size, guards) || strchr("-<>&|$\"'(", *word) || strchr(word, '=');
        skip = look;
        if (!guard) return base;
    }
    return "cron";
}

/* ---- times */

/* "*" is 1, "*" "/n" is n when it divides whole evenly; 0: neither. */
static uint64_t step(const char *field, uint64_t whole) {
    uint64_t n = 0;
    if (strcmp(field, "*") == 0) return 1;
    if (strncmp(field, "*/", 2) != 0 || !pdk_import_number(field + 2, whole, &n)) return 0;
    return n && whole % n == 0 ? n : 0;
}

/* The period in ns if it is the same all day, else 0. */
static uint64_t period(const struct entry *entry) {
    uint64_t minutes, hours, minute;
    if (*entry->times == '@') return strcmp(entry->times, "@hourly") == 0 ? PDK_HOUR : 0;
    for (size_t i = 2; i < 5; i++)
        if (strcmp(entry->fields[i], "*") != 0) return 0;
    minutes = step(entry->fields[0], 60);
    hours = step(entry->fields[1], 24);
    if (minutes && strcmp(entry->fields[1], "*") == 0) return minutes * PDK_MINUTE;
    if (hours && hours < 24 && pdk_import_number(entry->fields[0], 59, &minute)) return hours * PDK_HOUR;
    return 0;
}

static void put_times(struct crontab *tab, struct pdk_import_task *task, const struct entry *entry) {
    uint64_t ns = period(entry);
    if (!task || strcmp(entry->times, "@reboot") == 0) return;
    if (ns) {
        struct pdk_import_node *node =
            pdk_import_plain(tab->import, task, "every", "%s", pdk_import_duration(tab->import, ns));
        if (node) pdk_import_remark(tab->import, &node->notes, task->at, "%s", entry->times);
        return;
    }
    struct pdk_import_node *node = pdk_import_plain(tab->import, task, "manual", "true");
    if (node)
        pdk_import_note(tab->import, &node->notes, task->at, "schedule: \"%.*s\" comes with a later version", SHOWN,
                        entry->times);
}

/* ---- commands */

/* A % is a newline, and what is behind the first is standard input; \% is a %. */
static void put_command(struct crontab *tab, struct pdk_import_task *task, const char *text) {
    struct pdk_buffer parts[2] = {PDK_BUFFER(PDK_IMPORT_LINE_BYTES), PDK_BUFFER(PDK_IMPORT_LINE_BYTES)};
    int part = 0;
    bool input = false;
    for (; *text; text++) {
        if (text[0] == '\\' && text[1] == '%') {
            pdk_buffer_text(&parts[part], "%");
            text++;
        } else if (*text == '%') {
            if (input) pdk_buffer_text(&parts[1], "\n");
            part = 1;
            input = true;
        } else {
            pdk_buffer_add(&parts[part], text, 1);
        }
    }
    if (input) pdk_buffer_text(&parts[1], "\n");
    const char *command = pdk_import_trim(tab->import, pdk_buffer_string(&parts[0]), parts[0].size);
    if (command && !*command) command = ":";
    if (tab->shell) {
        struct pdk_import_node *list = pdk_import_list(tab->import, task, "command");
        (void)pdk_import_item(tab->import, list, tab->shell);
        (void)pdk_import_item(tab->import, list, "-c");
        (void)pdk_import_item(tab->import, list, command);
    } else {
        (void)pdk_import_shell(tab->import, task, "command", command);
    }
    if (input) (void)pdk_import_set(tab->import, task, "with.stdin", pdk_buffer_string(&parts[1]));
    pdk_import_check(tab->import, &parts[0]);
    pdk_import_check(tab->import, &parts[1]);
    pdk_buffer_free(&parts[0]);
    pdk_buffer_free(&parts[1]);
}

static void add_entry(struct crontab *tab, struct pdk_import_at at, const char *line) {
    struct entry entry = {.fields = {"", "", "", "", ""}};
    if (!read_entry(tab, at, line, &entry)) return;
    struct pdk_import_task *task = pdk_import_task(tab->import, program(tab->import, entry.command), at);
    if (!tab->first) tab->first = task;
    tab->entries++;
    put_times(tab, task, &entry);
    put_command(tab, task, entry.command);
    if (entry.user && pdk_import_user_is_good(entry.user))
        (void)pdk_import_set(tab->import, task, "user", entry.user);
    else if (entry.user && task)
        pdk_import_note(tab->import, &task->notes, at, "\"%.*s\" cannot be a user here", SHOWN, entry.user);
    for (size_t i = 0; i < tab->variable_count; i++)
        (void)pdk_import_env(tab->import, task, tab->variables[i].name, tab->variables[i].value);
}

/* ---- variables */

static const char *unquote(struct pdk_import *import, const char *text) {
    size_t size = strlen(text);
    bool quoted = size >= 2 && (*text == '"' || *text == '\'') && text[size - 1] == *text;
    return quoted ? pdk_import_copy(import, text + 1, size - 2) : text;
}

static void set_variable(struct crontab *tab, struct pdk_import_at at, const char *name, const char *value) {
    size_t i = 0;
    if (strcmp(name, "SHELL") == 0) {
        tab->shell = !*value || strcmp(value, "/bin/sh") == 0 ? NULL : value;
        return;
    }
    if (strncmp(name, "MAIL", 4) == 0 || strncmp(name, "CONTENT_", 8) == 0) {
        if (*value)
            pdk_import_note(tab->import, &tab->import->notes, at, "%s=%.*s: Paddock sends no mail", name, SHOWN, value);
        return;
    }
    if (strcmp(name, "CRON_TZ") == 0 || strcmp(name, "RANDOM_DELAY") == 0 || strcmp(name, "START_HOURS_RANGE") == 0) {
        pdk_import_note(tab->import, &tab->import->notes, at, "%s=%.*s: schedule comes with a later version", name,
                        SHOWN, value);
        return;
    }
    while (i < tab->variable_count && strcmp(tab->variables[i].name, name) != 0) i++;
    if (i == VARIABLES) {
        (void)pdk_import_fault(tab->import, at, NULL, NULL, "more than %d variables", VARIABLES);
        return;
    }
    if (i == tab->variable_count) tab->variable_count++;
    tab->variables[i] = (struct variable){name, value};
}

/* NAME = value? */
static bool read_variable(struct crontab *tab, struct pdk_import_at at, const char *line) {
    size_t quote = *line == '"' || *line == '\'', size = 0;
    while (isalnum((unsigned char)line[quote + size]) || line[quote + size] == '_') size++;
    const char *rest = line + quote + size + quote;
    if (size == 0 || (quote && line[quote + size] != *line)) return false;
    rest += strspn(rest, " \t");
    if (*rest != '=' || !pdk_import_is_variable(line + quote, size)) return false;
    const char *name = pdk_import_copy(tab->import, line + quote, size);
    const char *value = pdk_import_trim(tab->import, rest + 1, strlen(rest + 1));
    if (value) value = unquote(tab->import, value);
    if (value) set_variable(tab, at, name, value);
    return true;
}

/* ---- files */

static bool is_known_user(const char *word) {
    static const char *const users[] = {"root",  "daemon", "nobody", "www-data", "mail",  "news", "backup", "postgres",
                                        "mysql", "list",   "munin",  "nagios",   "smmsp", "man",  "games",  "sys"};
    for (size_t i = 0; i < sizeof users / sizeof *users; i++)
        if (strcmp(word, users[i]) == 0) return true;
    return false;
}

/* Does every entry have a user where one would stand? */
static bool has_users(struct crontab *tab) {
    const char *at = tab->source->text, *end = at + tab->source->size, *line;
    size_t size;
    bool any = false;
    while (pdk_import_line(&at, end, &line, &size)) {
        const char *text = pdk_import_trim(tab->import, line, size);
        if (!text) return false;
        if (!isdigit((unsigned char)*text) && *text != '*' && *text != '@') continue;
        int skip = *text == '@' ? 1 : 5;
        for (int i = 0; i < skip; i++) (void)take_word(tab->import, &text);
        const char *word = take_word(tab->import, &text);
        if (!word || !is_known_user(word)) return false;
        any = true;
    }
    return any;
}

static bool is_of_system(struct crontab *tab) {
    const char *file = tab->source->file, *etc = strstr(file, "etc/crontab");
    return strstr(file, "cron.d/") || (etc && !etc[11]) || has_users(tab);
}

void pdk_import_cron(struct pdk_import *import, const struct pdk_import_source *source) {
    struct crontab tab = {.import = import, .source = source};
    struct pdk_import_at at = {.source = source};
    const char *text = source->text, *end = text + source->size, *line, *slash = strrchr(source->file, '/');
    size_t size;
    tab.base = slash ? slash + 1 : source->file;
    tab.system = is_of_system(&tab);
    while (!import->error && pdk_import_line(&text, end, &line, &size)) {
        at.line++;
        if (size > PDK_IMPORT_LINE_BYTES)
            (void)pdk_import_fault(import, at, NULL, "put it into a script", "a line of more than 64KiB");
        const char *trimmed = import->error ? NULL : pdk_import_trim(import, line, size);
        if (!trimmed || !*trimmed || *trimmed == '#') continue;
        if (!read_variable(&tab, at, trimmed)) add_entry(&tab, at, trimmed);
    }
    /* one entry in a file of its own is called as the file is */
    if (tab.entries == 1 && strstr(source->file, "cron.d/") && tab.first) tab.first->name = tab.base;
}
