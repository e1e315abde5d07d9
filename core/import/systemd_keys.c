/* SPDX-License-Identifier: Apache-2.0 */
/* What each key of a service unit means for a task. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/import/systemd_service.h"

#define OPEN PDK_IMPORT_OPEN[0]

/* As it is without this line: what an earlier one said, in the unit before a drop-in, is taken back. */
static const char *take_back(struct pdk_service *s) {
    pdk_import_remove(s->task, s->key->path);
    return NULL;
}

/* ---- words */

/* Blanks in a row, as they come from lines that go on, count as one. */
static const char *take_description(struct pdk_service *s) {
    struct pdk_buffer to = PDK_BUFFER(PDK_IMPORT_LINE_BYTES);
    if (!*s->value) {
        pdk_import_remove(s->task, "description");
        return NULL;
    }
    if (strlen(s->value) > 1000) return "is longer than a description may be";
    for (const char *c = s->value; *c; c++)
        if (*c != ' ' || c[1] != ' ') pdk_buffer_add(&to, c, 1);
    (void)pdk_import_set(s->import, s->task, "description", pdk_import_taken(s->import, &to));
    return NULL;
}

static const char *take_type(struct pdk_service *s) {
    static const char *const plain[] = {"simple",  "exec",    "idle",   "dbus",
                                        "forking", "oneshot", "notify", "notify-reload"};
    static const char *const why[] = {NULL,
                                      NULL,
                                      "starts at once",
                                      "counts as up at once: ready can wait for a command, a port or a line",
                                      "is refused: run it in front, where it does not leave its terminal",
                                      NULL,
                                      NULL,
                                      NULL};
    s->unit->oneshot = strcmp(s->value, "oneshot") == 0;
    s->notify = strncmp(s->value, "notify", 6) == 0;
    if (strcmp(s->value, "notify-reload") == 0) (void)pdk_import_plain(s->import, s->task, "reload", "HUP");
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(s->value, plain[i]) == 0) return why[i];
    return "is no type that is known";
}

static const char *take_exec(struct pdk_service *s) {
    struct pdk_exec **const lists[] = {&s->start, &s->pre, &s->post, &s->stop, &s->reload};
    static const char *const names[] = {"ExecStart", "ExecStartPre", "ExecStartPost", "ExecStop", "ExecReload"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(s->line->key, names[i]) == 0) pdk_exec_read(s->import, s->unit, s->line, i >= 3, lists[i]);
    return NULL;
}

/* ---- who and where */

static const char *take_user(struct pdk_service *s) {
    const char **to = strcmp(s->line->key, "User") == 0 ? &s->user : &s->group;
    if (*s->value && !pdk_import_user_is_good(s->value)) return "cannot be a user or group here";
    *to = *s->value ? s->value : NULL;
    return NULL;
}

static const char *take_cwd(struct pdk_service *s) {
    const char *path = s->value + (*s->value == '-');
    if (!*path) {
        pdk_import_remove(s->task, "cwd");
        return NULL;
    }
    if (strcmp(path, "~") == 0) return "is the home of its user: write the path";
    if (strlen(path) > 4000) return "is too long";
    (void)pdk_import_set(s->import, s->task, "cwd", pdk_import_solid(s->import, path));
    return *s->value == '-' ? "has to be there: a missing one is no success" : NULL;
}

static const char *take_environment(struct pdk_service *s) {
    const char **words, *why = NULL;
    size_t count;
    if (!*s->value) {
        pdk_import_remove(s->task, "env");
        return NULL;
    }
    if (pdk_unit_split(s->import, s->value, &words, &count) < 0) return "has a quote that is not closed";
    for (size_t i = 0; i < count && !s->import->error; i++) {
        const char *equals = strchr(words[i], '=');
        const char *name = equals ? pdk_import_copy(s->import, words[i], (size_t)(equals - words[i])) : NULL;
        if (!name || !pdk_import_env(s->import, s->task, name, equals + 1)) why = "has what is no NAME=value";
    }
    return why;
}

static const char *take_unset(struct pdk_service *s) {
    const char **words, *why = NULL;
    size_t count;
    if (pdk_unit_split(s->import, s->value, &words, &count) < 0) return "has a quote that is not closed";
    for (size_t i = 0; i < count && !s->import->error; i++)
        if (!pdk_import_env(s->import, s->task, words[i], NULL)) why = "has what is no name";
    return why;
}

static const char *take_env_file(struct pdk_service *s) {
    const char *path = s->value + (*s->value == '-');
    struct pdk_import_node *list = pdk_import_find(s->task, "env_file");
    if (!*path) {
        pdk_import_remove(s->task, "env_file");
        return NULL;
    }
    if (strpbrk(path, "*?[")) return "has a pattern: name each file";
    if (strlen(path) > 4000) return "is too long";
    path = pdk_import_solid(s->import, path);
    if (!list) list = pdk_import_list(s->import, s->task, "env_file");
    struct pdk_import_node *item = pdk_import_item(s->import, list, path);
    if (!item || *s->value != '-') return NULL;
    item->type = PDK_IMPORT_MAP;
    (void)pdk_import_entry(s->import, item, "path", path);
    struct pdk_import_node *optional = pdk_import_entry(s->import, item, "optional", "true");
    if (optional) optional->plain = true;
    return NULL;
}

/* ---- restart */

static const char *take_restart(struct pdk_service *s) {
    static const struct {
        const char *word, *restart;
        bool abnormal;
        const char *why;
    } words[] = {{"no", NULL, false, NULL},
                 {"always", "always", false, NULL},
                 {"on-failure", "on-failure", false, NULL},
                 {"on-abnormal", "on-failure", true, NULL},
                 {"on-abort", "on-failure", true, "a timeout is a failure here, too"},
                 {"on-watchdog", NULL, false, "there is no watchdog"},
                 {"on-success", NULL, false, "has no counterpart here: see every"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].word, s->value) != 0) continue;
        s->restart = words[i].restart;
        s->abnormal = words[i].abnormal;
        return words[i].why;
    }
    return "is no word that is known";
}

static const char *take_span(struct pdk_service *s) {
    static const char wanted[] = "is no time";
    const char *key = s->line->key;
    uint64_t ns;
    if (!pdk_unit_span(s->value, PDK_SECOND, &ns)) return wanted;
    if (ns > 0 && ns < PDK_MILLISECOND) ns = PDK_MILLISECOND;
    if (strcmp(key, "RestartSec") == 0) {
        s->pause = ns;
        s->restart_line = s->line;
    } else if (strcmp(key, "RuntimeMaxSec") == 0) {
        s->run_limit = ns;
    } else if (strncmp(key, "StartLimitInterval", 18) == 0) {
        s->interval = ns;
        s->limit_given = true;
        s->restart_line = s->line;
    } else {
        if (strcmp(key, "TimeoutStopSec") != 0) s->start_timeout = ns ? ns : UINT64_MAX;
        if (strcmp(key, "TimeoutStartSec") == 0) s->timeout_line = s->line;
        if (strcmp(key, "TimeoutStartSec") == 0) return NULL;
        s->stop_timeout = ns ? ns : UINT64_MAX;
        s->stop_line = s->line;
    }
    return NULL;
}

static const char *take_burst(struct pdk_service *s) {
    if (!pdk_import_number(s->value, 1000000000, &s->burst)) return "is no number";
    s->limit_given = true;
    s->restart_line = s->line;
    return NULL;
}

/* Codes by number, and by the names that systemd has for some. */
static bool code_of(const char *word, uint64_t *ret) {
    static const struct {
        const char *name;
        unsigned code;
    } names[] = {{"SUCCESS", 0},      {"FAILURE", 1},      {"INVALIDARGUMENT", 2}, {"NOTIMPLEMENTED", 3},
                 {"NOPERMISSION", 4}, {"NOTINSTALLED", 5}, {"NOTCONFIGURED", 6},   {"NOTRUNNING", 7},
                 {"USAGE", 64},       {"DATAERR", 65},     {"NOINPUT", 66},        {"NOUSER", 67},
                 {"NOHOST", 68},      {"UNAVAILABLE", 69}, {"SOFTWARE", 70},       {"OSERR", 71},
                 {"OSFILE", 72},      {"CANTCREAT", 73},   {"IOERR", 74},          {"TEMPFAIL", 75},
                 {"PROTOCOL", 76},    {"NOPERM", 77},      {"CONFIG", 78}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i].name, word) != 0) continue;
        *ret = names[i].code;
        return true;
    }
    return pdk_import_number(word, 255, ret);
}

static const char *take_codes(struct pdk_service *s) {
    enum pdk_exit_class class = *s->line->key == 'S'              ? PDK_EXIT_CODE_SUCCESS
                                : strstr(s->line->key, "Prevent") ? PDK_EXIT_CODE_FATAL
                                                                  : PDK_EXIT_CODE_RETRY;
    const char **words, *why = NULL;
    size_t count;
    if (pdk_unit_split(s->import, s->value, &words, &count) < 0) return "has a quote that is not closed";
    for (size_t i = 0; i < count && !s->import->error; i++) {
        uint64_t code;
        if (!code_of(words[i], &code))
            why = "has a signal: ended by one is failed, or canceled when it was asked to end";
        else if (code == 0 && class != PDK_EXIT_CODE_SUCCESS)
            why = "has 0, which is success";
        else
            s->codes[code] = (uint8_t) class;
    }
    return why;
}

/* ---- stopping */

static const char *take_signal(struct pdk_service *s) {
    int32_t number;
    uint64_t n;
    if (pdk_import_number(s->value, 64, &n)) s->value = pdk_signal_name((int32_t)n) ? pdk_signal_name((int32_t)n) : "";
    if (pdk_signal_parse(s->value, &number) < 0) return "is no signal that can be sent by name";
    if (number == 15) return take_back(s);
    (void)pdk_import_plain(s->import, s->task, s->key->path, "%s", pdk_signal_name(number));
    return NULL;
}

static const char *take_kill_mode(struct pdk_service *s) {
    if (strcmp(s->value, "mixed") == 0 || strcmp(s->value, "process") == 0)
        (void)pdk_import_plain(s->import, s->task, s->key->path, "leader");
    else
        (void)take_back(s);
    if (strcmp(s->value, "process") == 0) return "leaves nothing running: what it started is killed in the end";
    if (strcmp(s->value, "none") == 0) return "is refused: what it started is killed in the end";
    return NULL;
}

static const char *take_send_kill(struct pdk_service *s) {
    bool on;
    return pdk_ini_bool(s->value, &on) && on ? NULL : "is refused: after its grace it is killed, always";
}

/* ---- limits */

static const char *take_memory(struct pdk_service *s) {
    uint64_t bytes;
    if (strcmp(s->value, "infinity") == 0) return take_back(s);
    if (strchr(s->value, '%')) return "is a share of the machine: write a size";
    if (!pdk_unit_size(s->value, &bytes) || bytes < 65536) return "is no size of 64KiB or more";
    (void)pdk_import_plain(s->import, s->task, s->key->path, "%s", pdk_import_size(s->import, bytes));
    return NULL;
}

static const char *take_tasks(struct pdk_service *s) {
    uint64_t n;
    if (strcmp(s->value, "infinity") == 0) return take_back(s);
    if (strchr(s->value, '%')) return "is a share of the machine: write a number";
    if (!pdk_import_number(s->value, 4194304, &n) || n == 0) return "is no number of processes";
    (void)pdk_import_plain(s->import, s->task, s->key->path, "%u", (unsigned)n);
    return NULL;
}

/* 150% are 1.5 processors. */
static const char *take_cpu(struct pdk_service *s) {
    size_t digits = strspn(s->value, "0123456789");
    const char *number = pdk_import_copy(s->import, s->value, digits);
    uint64_t n;
    if (!number || !pdk_import_number(number, 400000, &n) || n == 0 || strcmp(s->value + digits, "%") != 0)
        return "is no share such as 20%";
    if (n % 100 == 0)
        (void)pdk_import_plain(s->import, s->task, "resources.cpu", "%u", (unsigned)(n / 100));
    else
        (void)pdk_import_plain(s->import, s->task, "resources.cpu", n % 10 ? "%u.%02u" : "%u.%u", (unsigned)(n / 100),
                               (unsigned)(n % 10 ? n % 100 : n % 100 / 10));
    return NULL;
}

/* A number, with a unit where it counts bytes; infinity is unlimited. NULL: it is none. */
static const char *limit_of(struct pdk_service *s, const char *text, bool exact) {
    static const char *const bytes[] = {"memlock", "core", "fsize", "stack", "as"};
    const char *name = strrchr(s->key->path, '.') + 1;
    uint64_t n;
    if (strcmp(text, "infinity") == 0) return "unlimited";
    if (!pdk_unit_size(text, &n)) return NULL;
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes && !exact; i++)
        if (strcmp(name, bytes[i]) == 0 && n >= 1024) return pdk_import_size(s->import, n);
    return pdk_import_format(s->import, "%llu", (unsigned long long)n);
}

static const char *take_limit(struct pdk_service *s) {
    const char *colon = strchr(s->value, ':'), *soft, *hard = NULL;
    soft =
        limit_of(s, colon ? pdk_import_copy(s->import, s->value, (size_t)(colon - s->value)) : s->value, colon != NULL);
    if (colon) hard = limit_of(s, colon + 1, true);
    if (s->import->error) return NULL;
    if (!soft || (colon && !hard)) return "is no limit";
    if (colon)
        (void)pdk_import_set(s->import, s->task, s->key->path, pdk_import_format(s->import, "%s:%s", soft, hard));
    else
        (void)pdk_import_plain(s->import, s->task, s->key->path, "%s", soft);
    return NULL;
}

/* ---- the runner's parameters */

static const char *take_bool(struct pdk_service *s) {
    bool on;
    if (!pdk_ini_bool(s->value, &on)) return "is neither true nor false";
    if (!on) return take_back(s);
    (void)pdk_import_plain(s->import, s->task, s->key->path, "true");
    return NULL;
}

static const char *take_integer(struct pdk_service *s) {
    bool nice = strcmp(s->line->key, "Nice") == 0, minus = *s->value == '-';
    uint64_t n;
    if (!pdk_import_number(s->value + (minus || *s->value == '+'), nice ? (minus ? 20 : 19) : 1000, &n))
        return "is out of range";
    (void)pdk_import_plain(s->import, s->task, s->key->path, "%s%u", minus && n ? "-" : "", (unsigned)n);
    return NULL;
}

static const char *take_umask(struct pdk_service *s) {
    size_t size = strlen(s->value);
    if (size == 0 || size > 4 || s->value[strspn(s->value, "01234567")]) return "is no octal number";
    (void)pdk_import_plain(s->import, s->task, s->key->path, "%04u", (unsigned)strtoul(s->value, NULL, 10));
    return NULL;
}

static const char *take_io(struct pdk_service *s) {
    struct pdk_import_node *node = pdk_import_find(s->task, "with.ionice");
    bool class = strcmp(s->line->key, "IOSchedulingClass") == 0;
    uint64_t n;
    if (class && (strcmp(s->value, "idle") == 0 || strcmp(s->value, "3") == 0))
        (void)pdk_import_plain(s->import, s->task, "with.ionice", "idle");
    else if (class && (strcmp(s->value, "best-effort") == 0 || strcmp(s->value, "2") == 0))
        (void)pdk_import_set(s->import, s->task, "with.ionice", "best-effort:4");
    else if (class)
        return "is no class that can be asked for";
    else if (!pdk_import_number(s->value, 7, &n))
        return "is no priority from 0 to 7";
    else if (!node || strcmp(node->text, "idle") != 0)
        (void)pdk_import_set(s->import, s->task, "with.ionice",
                             pdk_import_format(s->import, "best-effort:%u", (unsigned)n));
    return NULL;
}

/* CAP_NET_BIND_SERVICE is net_bind_service. What is said twice is added. */
static const char *take_capabilities(struct pdk_service *s) {
    struct pdk_import_node *list = pdk_import_find(s->task, "with.capabilities");
    const char **words, *why = NULL;
    size_t count;
    if (*s->value == '~') return "takes away some: list those that stay";
    if (pdk_unit_split(s->import, s->value, &words, &count) < 0) return "has a quote that is not closed";
    if (!list || !count) list = pdk_import_list(s->import, s->task, "with.capabilities");
    for (size_t i = 0; i < count && !s->import->error; i++) {
        char name[48];
        size_t size = 0;
        if (strncasecmp(words[i], "CAP_", 4) != 0 || strlen(words[i]) >= sizeof name) {
            why = "has what is no capability";
            continue;
        }
        for (const char *c = words[i] + 4; *c; c++) name[size++] = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        name[size] = '\0';
        (void)pdk_import_item(s->import, list, name);
    }
    return why;
}

/* ---- output */

static const char *take_output(struct pdk_service *s) {
    static const char *const own[] = {"journal", "inherit", "journal+console", "syslog", "kmsg", "tty", "console"};
    bool out = strcmp(s->line->key, "StandardOutput") == 0;
    const char *colon = strchr(s->value, ':');
    for (size_t i = 0; i < 2; i++)
        if (strcmp(s->value, own[i]) == 0) return NULL;
    if (!colon || colon[1] != '/' || strlen(colon) > 4000 ||
        (strncmp(s->value, "file:", 5) != 0 && strncmp(s->value, "append:", 7) != 0 &&
         strncmp(s->value, "truncate:", 9) != 0))
        return "goes to Paddock's own output";
    if (!out && !pdk_import_find(s->task, "log.file")) return "cannot be alone: output has no file";
    if (!out && strcmp(pdk_import_find(s->task, "log.file")->text, colon + 1) == 0) return NULL;
    (void)pdk_import_set(s->import, s->task, out ? "log.file" : "log.stderr", colon + 1);
    return NULL;
}

/* Started with the system, as all tasks that are not manual. */
static const char *take_wanted(struct pdk_service *s) {
    static const char *const usual[] = {"multi-user.target", "default.target", "graphical.target", "sysinit.target",
                                        "basic.target",      "network.target", "timers.target",    ""};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcmp(s->value, usual[i]) == 0) return NULL;
    return "has no counterpart here";
}

static const char *take_remain(struct pdk_service *s) {
    bool on;
    if (!pdk_ini_bool(s->value, &on) || !on || s->unit->oneshot) return NULL;
    return "has no counterpart here";
}

#define UNIT(key_, ...) \
    { .section = "Unit", .key = (key_), __VA_ARGS__ }
#define SERVICE(key_, ...) \
    { .section = "Service", .key = (key_), __VA_ARGS__ }

static const char no_folder[] = "is not made: make it beforehand";

static const struct pdk_unit_key keys[] = {
    UNIT("Description", .take = take_description, .empty = true),
    UNIT("After", .raw = true),
    UNIT("Before", .raw = true),
    UNIT("Wants", .raw = true),
    UNIT("Requires", .raw = true),
    UNIT("Requisite", .raw = true),
    UNIT("BindsTo", .raw = true),
    UNIT("StartLimitIntervalSec", .take = take_span),
    UNIT("StartLimitInterval", .take = take_span),
    UNIT("StartLimitBurst", .take = take_burst),
    {.section = "Install", .key = "WantedBy", .take = take_wanted},
    SERVICE("Type", .take = take_type),
    SERVICE("ExecStart", .take = take_exec, .raw = true, .empty = true),
    SERVICE("ExecStartPre", .take = take_exec, .raw = true, .empty = true),
    SERVICE("ExecStartPost", .take = take_exec, .raw = true, .empty = true),
    SERVICE("ExecStop", .take = take_exec, .raw = true, .empty = true),
    SERVICE("ExecReload", .take = take_exec, .raw = true, .empty = true),
    SERVICE("User", .take = take_user, .empty = true),
    SERVICE("Group", .take = take_user, .empty = true),
    SERVICE("WorkingDirectory", .take = take_cwd, .empty = true),
    SERVICE("Environment", .take = take_environment, .empty = true),
    SERVICE("EnvironmentFile", .take = take_env_file, .empty = true),
    SERVICE("UnsetEnvironment", .take = take_unset),
    SERVICE("Restart", .take = take_restart),
    SERVICE("RestartSec", .take = take_span),
    SERVICE("StartLimitIntervalSec", .take = take_span),
    SERVICE("StartLimitInterval", .take = take_span),
    SERVICE("StartLimitBurst", .take = take_burst),
    SERVICE("TimeoutSec", .take = take_span),
    SERVICE("TimeoutStartSec", .take = take_span),
    SERVICE("TimeoutStopSec", .take = take_span),
    SERVICE("RuntimeMaxSec", .take = take_span),
    SERVICE("SuccessExitStatus", .take = take_codes),
    SERVICE("RestartPreventExitStatus", .take = take_codes),
    SERVICE("RestartForceExitStatus", .take = take_codes),
    SERVICE("KillSignal", .take = take_signal, .path = "stop.signal"),
    SERVICE("KillMode", .take = take_kill_mode, .path = "stop.to"),
    SERVICE("SendSIGKILL", .take = take_send_kill),
    SERVICE("RemainAfterExit", .take = take_remain),
    SERVICE("MemoryMax", .take = take_memory, .path = "resources.memory"),
    SERVICE("MemoryLimit", .take = take_memory, .path = "resources.memory"),
    SERVICE("TasksMax", .take = take_tasks, .path = "resources.pids"),
    SERVICE("CPUQuota", .take = take_cpu, .path = "resources.cpu", .raw = true),
    SERVICE("LimitNOFILE", .take = take_limit, .path = "with.rlimits.nofile"),
    SERVICE("LimitMEMLOCK", .take = take_limit, .path = "with.rlimits.memlock"),
    SERVICE("LimitCORE", .take = take_limit, .path = "with.rlimits.core"),
    SERVICE("LimitFSIZE", .take = take_limit, .path = "with.rlimits.fsize"),
    SERVICE("LimitSTACK", .take = take_limit, .path = "with.rlimits.stack"),
    SERVICE("LimitNPROC", .take = take_limit, .path = "with.rlimits.nproc"),
    SERVICE("LimitCPU", .take = take_limit, .path = "with.rlimits.cpu"),
    SERVICE("LimitAS", .take = take_limit, .path = "with.rlimits.as"),
    SERVICE("UMask", .take = take_umask, .path = "with.umask"),
    SERVICE("Nice", .take = take_integer, .path = "with.nice"),
    SERVICE("OOMScoreAdjust", .take = take_integer, .path = "with.oom_score"),
    SERVICE("IOSchedulingClass", .take = take_io),
    SERVICE("IOSchedulingPriority", .take = take_io),
    SERVICE("NoNewPrivileges", .take = take_bool, .path = "with.no_new_privileges"),
    SERVICE("PrivateTmp", .take = take_bool, .path = "with.private_tmp"),
    SERVICE("CapabilityBoundingSet", .take = take_capabilities, .empty = true),
    SERVICE("StandardOutput", .take = take_output),
    SERVICE("StandardError", .take = take_output),
    SERVICE("PIDFile", .why = "is not needed: Paddock knows what it started"),
    SERVICE("GuessMainPID", .why = "is not needed: Paddock knows what it started"),
    SERVICE("RuntimeDirectory", .why = no_folder),
    SERVICE("StateDirectory", .why = no_folder),
    SERVICE("CacheDirectory", .why = no_folder),
    SERVICE("LogsDirectory", .why = no_folder),
    SERVICE("ConfigurationDirectory", .why = no_folder),
    SERVICE("WatchdogSec", .why = "there is no watchdog"),
};

const struct pdk_unit_key *pdk_unit_key(const char *section, const char *key) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].key, key) == 0 && strcmp(keys[i].section, section) == 0) return &keys[i];
    return NULL;
}
