/* SPDX-License-Identifier: Apache-2.0 */
/* The options of all verbs in one table, read by getopt_long. The same table makes the help and the completion. */
#include "core/cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/spec/selector.h"

#define MOST_OPTIONS 48

static const struct pdk_option options[] = {
    {PDK_OPT_SELECTOR, "selector", "SELECTOR", "Tasks with these labels: a=b,c!=d,e in (f,g),h,!i"},
    {PDK_OPT_ONLY, "only", "TASK[,TASK]", "These tasks, without what they need"},
    {PDK_OPT_SET, "set", "FIELD=VALUE", "Set a field of the tasks named, or of all: timeout=5s"},
    {PDK_OPT_ENV_FILE, "env-file", "FILE", "NAME=value lines for ${NAME} and for the tasks"},
    {PDK_OPT_CONFIG_FILE, "config", "FILE", "The same as FILE by itself"},
    {PDK_OPT_TCP_SOCKET, "tcp-socket", "HOST:PORT", "Where to listen, on loopback; of several the last counts"},
    {PDK_OPT_STAY, "stay", NULL, "Go on when the process that started this one has died"},
    {PDK_OPT_STOP_ON, "stop-on", "WHEN", "Stop the rest on the first failure, exit, or never (failure)"},
    {PDK_OPT_EXIT_CODE_FROM, "exit-code-from", "TASK", "Exit with its exit code, when it ends; the rest is stopped"},
    {PDK_OPT_DRY_RUN, "dry-run", NULL, "Show who would run what, start nothing"},
    {PDK_OPT_PLUGIN, "plugin", "FILE", "Load this plugin too, first in routing order"},
    {PDK_OPT_METRICS_FILE, "metrics-file", "FILE", "Write metrics here, every 5 seconds and at the end"},
    {PDK_OPT_PREFIX, "prefix", "WHEN", "Name of the task before each line: auto, always or never"},
    {PDK_OPT_TIMESTAMPS, "timestamps", NULL, "Time before each line"},
    {PDK_OPT_PROGRESS, "progress", "HOW", "Live view at the bottom, or plain lines: auto, live or plain"},
    {PDK_OPT_READY_FD, "ready-fd", "N", "Write a line to this descriptor when ready, and close it"},
    {PDK_OPT_PID_FILE, "pid-file", "FILE", "Write the number of the process here"},
    {PDK_OPT_CHECK_ONLY, "check", NULL, "Check all that a start would, and start nothing"},
    {PDK_OPT_SOCKET, "socket", "PATH", "Where the console listens, whatever the file says"},
    {PDK_OPT_NO_PLUGINS, "no-plugins", NULL, "Check what needs no plugin"},
    {PDK_OPT_STRICT, "strict", NULL, "Warnings count as errors"},
    {PDK_OPT_LONG, "long", NULL, "Authors, descriptions and files too"},
    {PDK_OPT_FIELDS, "fields", NULL, "The fields as text, one a line: of tasks, plugins or server"},
    {PDK_OPT_LIST, "list", NULL, "List the checks: their numbers, rules and headers"},
    {PDK_OPT_CHECK, "check", "N", "This check alone; again for more"},
    {PDK_OPT_KIND, "kind", "KIND", "Tasks of this kind alone"},
    {PDK_OPT_WITH, "with", "JSON|@FILE", "Their parameters; else made from the schema"},
    {PDK_OPT_CONFIG, "config", "JSON|@FILE", "The plugin's configuration"},
    {PDK_OPT_TIMEOUT, "timeout", "DURATION", "How long one check may take (20s)"},
    {PDK_OPT_OUTPUT, "output", "PATH", "Write here, not to ./NAME (new) or standard output (import)"},
    {PDK_OPT_FROM, "from", "FORMAT", "procfile, systemd, supervisord or cron; else guessed"},
    {PDK_OPT_FORCE, "force", NULL, "Overwrite what is there"},
    {PDK_OPT_ASYNC, "async", NULL, "A runner that waits on the host's loop: timers, sockets"},
    {PDK_OPT_THREAD, "thread", NULL, "A runner that blocks, in a thread of the host's pool"},
    {PDK_OPT_PROCESS, "process", NULL, "A runner that drives a program"},
    {PDK_OPT_JSONL, "jsonl", "FILE|-", "The tasks of FILE, a JSON object on each line, as they come"},
    {PDK_OPT_SUBMIT_KIND, "kind", "KIND", "A task of this kind, by its parameters alone"},
    {PDK_OPT_PARAMETER, "with", "KEY=VALUE", "A parameter, read as YAML; or all of them: JSON|@FILE"},
    {PDK_OPT_NAME, "name", "NAME", "What the task is called (its kind, or its command)"},
    {PDK_OPT_LABEL, "label", "KEY=VALUE", "A label of it; again for more"},
    {PDK_OPT_INPUT, "input", "JSON|@FILE", "The input it is given"},
    {PDK_OPT_SUBMIT_TOPIC, "topic", "TOPIC", "The topic of the queue that it is of (default)"},
    {PDK_OPT_PRIORITY, "priority", "N", "-100..100: higher first, within its topic"},
    {PDK_OPT_DELAY, "delay", "DURATION", "Not before that time has passed"},
    {PDK_OPT_UNIQUE, "unique", "KEY", "One such job is alive at a time"},
    {PDK_OPT_UNIQUE_MODE, "unique-mode", "MODE", "Else: keep the one there, replace it, or debounce (keep)"},
    {PDK_OPT_IDEMPOTENCY, "key", "KEY", "Again with this key within 24h it is the same job"},
    {PDK_OPT_MAX_ATTEMPTS, "max-attempts", "N", "Attempts before it is a dead letter"},
    {PDK_OPT_DIRECT, "direct", NULL, "A run of the server, not a job of its queue"},
    {PDK_OPT_WAIT, "wait", NULL, "Wait until it has ended, and exit as it did"},
    {PDK_OPT_ALL, "all", NULL, "All of them"},
    {PDK_OPT_STATE, "state", "STATE[,STATE]", "queued, running, backoff, stopping, stuck, ended; again for more"},
    {PDK_OPT_JOB_STATE, "state", "STATE[,STATE]", "delayed, ready, running, ended; again for more"},
    {PDK_OPT_OUTCOME, "outcome", "OUTCOME[,...]", "succeeded, failed, canceled, timed_out, ...; again for more"},
    {PDK_OPT_FILTER_KIND, "kind", "KIND", "Of this kind"},
    {PDK_OPT_TASK, "task", "TASK", "Of this task"},
    {PDK_OPT_SLOT, "slot", "SLOT", "Of this slot"},
    {PDK_OPT_TOPIC, "topic", "TOPIC", "Of this topic of the queue"},
    {PDK_OPT_RUNNER, "runner", "RUNNER", "Of this runner"},
    {PDK_OPT_SEARCH, "search", "TEXT", "With this in their id, task or message"},
    {PDK_OPT_LIMIT, "limit", "N", "At most so many"},
    {PDK_OPT_SORT, "sort", "COLUMN", "Order of the runs: run, task, state, attempts or age"},
    {PDK_OPT_WATCH, "watch", NULL, "Draw it again and again, until q or Ctrl-C"},
    {PDK_OPT_INTERVAL, "interval", "DURATION", "How often (2s)"},
    {PDK_OPT_NO_HEADER, "no-header", NULL, "No titles above the columns"},
    {PDK_OPT_FOLLOW, "follow", NULL, "Go on as more comes"},
    {PDK_OPT_NO_FOLLOW, "no-follow", NULL, "Print what the server still keeps, and end"},
    {PDK_OPT_TAIL, "tail", "N", "The last N lines alone"},
    {PDK_OPT_ATTEMPT, "attempt", "N", "Of this attempt, not the last"},
    {PDK_OPT_STREAM, "stream", "STREAM", "stdout or stderr alone"},
    {PDK_OPT_SINCE, "since", "ID", "What came after the event of this id"},
    {PDK_OPT_TYPE, "type", "TYPE[,TYPE]", "Of these types; a * stands for any rest: run.*"},
    {PDK_OPT_NOW, "now", NULL, "Kill it, do not ask"},
    {PDK_OPT_REASON, "reason", "TEXT", "Why; it is told with the outcome"},
    {PDK_OPT_WHERE, "socket", "PATH", "The socket of the server"},
    {PDK_OPT_SERVER, "server", "URL", "The server: http://HOST:PORT or https://HOST:PORT"},
    {PDK_OPT_TOKEN_FILE, "token-file", "FILE", "The file with its token"},
    {PDK_OPT_CA_FILE, "ca-file", "FILE", "Who may have signed its certificate, as PEM"},
    {PDK_OPT_CERTIFICATE_FILE, "certificate-file", "FILE", "Our own certificate, as PEM"},
    {PDK_OPT_KEY_FILE, "key-file", "FILE", "Its key"},
    {PDK_OPT_JSON, "json", NULL, "JSON on standard output, one object a line"},
    {PDK_OPT_PLUGIN_PATH, "plugin-path", "DIR", "Look for plugins here first; again for more"},
    {PDK_OPT_COLOR, "color", "WHEN", "auto, always or never"},
    {PDK_OPT_LOG_FORMAT, "log-format", "FORMAT", "Paddock's own messages: auto, text or json"},
    {PDK_OPT_QUIET, "quiet", NULL, "Errors only"},
    {PDK_OPT_VERBOSE, "verbose", NULL, "Say more; twice: everything"},
    {PDK_OPT_HELP, "help", NULL, "Show this"},
    {0, NULL, NULL, NULL},
};

/* Which server. */
static const int where[] = {PDK_OPT_WHERE,   PDK_OPT_SERVER,           PDK_OPT_TOKEN_FILE,
                            PDK_OPT_CA_FILE, PDK_OPT_CERTIFICATE_FILE, PDK_OPT_KEY_FILE};
static const int common[] = {PDK_OPT_JSON,  PDK_OPT_PLUGIN_PATH, PDK_OPT_COLOR, PDK_OPT_LOG_FORMAT,
                             PDK_OPT_QUIET, PDK_OPT_VERBOSE,     PDK_OPT_HELP,  0};

static const struct pdk_option *by_id(int id) {
    for (size_t i = 0; options[i].name; i++)
        if (options[i].id == id) return &options[i];
    return NULL;
}

const struct pdk_option *pdk_option_at(const struct pdk_verb *verb, size_t i) {
    size_t own = 0, more = verb->remote ? sizeof where / sizeof *where : 0;
    while (verb->options[own]) own++;
    if (i < own) return by_id(verb->options[i]);
    if (i < own + more) return by_id(where[i - own]);
    own += more;
    return i - own < sizeof common / sizeof *common - 1 ? by_id(common[i - own]) : NULL;
}

int32_t pdk_words_add(struct pdk_words *words, struct pdk_arena *arena, const char *word) {
    const char **items = pdk_arena_alloc(arena, (words->count + 2) * sizeof *items);
    if (!items) return -ENOMEM;
    if (words->count) memcpy(items, words->items, words->count * sizeof *items);
    items[words->count++] = word;
    words->items = items;
    return 0;
}

int pdk_option_choice(const struct pdk_verb *verb, const char *option, const char *text, const char *const *words) {
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], text) == 0) return i;
    char hint[160] = "expected ";
    const char *near = pdk_nearest(text, words);
    for (int i = 0; words[i]; i++) {
        if (i) (void)strlcat(hint, words[i + 1] ? ", " : " or ", sizeof hint);
        (void)strlcat(hint, words[i], sizeof hint);
    }
    if (near) (void)snprintf(hint, sizeof hint, "did you mean %s?", near);
    (void)pdk_say_usage(verb, hint, "--%s: \"%s\" is not one of its values", option, text);
    return -1;
}

static int take_choice(struct pdk_arguments *a, int id, const char *text) {
    static const char *const when[] = {"auto", "always", "never", NULL};
    static const char *const progress[] = {"auto", "live", "plain", NULL};
    static const char *const format[] = {"auto", "text", "json", NULL};
    static const char *const stop_on[] = {"failure", "exit", "never", NULL};
    const char *const *words = id == PDK_OPT_PROGRESS     ? progress
                               : id == PDK_OPT_LOG_FORMAT ? format
                               : id == PDK_OPT_STOP_ON    ? stop_on
                                                          : when;
    int found = pdk_option_choice(a->verb, by_id(id)->name, text, words);
    if (found < 0) return PDK_EXIT_USAGE;
    switch (id) {
    case PDK_OPT_PROGRESS: a->progress = (enum pdk_view)found; break;
    case PDK_OPT_LOG_FORMAT: a->log_format = (enum pdk_log_format)found; break;
    case PDK_OPT_STOP_ON: a->stop_on = (uint32_t)found; break;
    case PDK_OPT_COLOR: a->color = (enum pdk_when)found; break;
    default: a->prefix = (enum pdk_when)found; break;
    }
    return 0;
}

static int add_word(struct pdk_arguments *a, struct pdk_words *words, const char *text) {
    return pdk_words_add(words, &a->arena, text) < 0 ? pdk_say_memory() : 0;
}

/* TASK,TASK,.. */
static int add_list(struct pdk_arguments *a, struct pdk_words *words, const char *text) {
    while (*text) {
        size_t size = strcspn(text, ",");
        const char *word = pdk_arena_text(&a->arena, text, size);
        if (!word) return pdk_say_memory();
        if (size && add_word(a, words, word)) return PDK_EXIT_BUG;
        text += size + (text[size] == ',');
    }
    return words->count ? 0 : pdk_say_usage(a->verb, "", "--only wants the name of a task");
}

static int take_duration(struct pdk_arguments *a, int id, const char *text, uint64_t *ret) {
    char hint[100];
    if (pdk_duration_parse(text, ret, hint, sizeof hint) == 0 && *ret > 0) return 0;
    return pdk_say_usage(a->verb, *hint ? hint : "write 30s or 2m", "--%s: \"%s\" is not a duration", by_id(id)->name,
                         text);
}

/* How a new runner works. */
static int take_variant(struct pdk_arguments *a, int id) {
    const char *name = by_id(id)->name;
    if (a->variant && a->variant != name)
        return pdk_say_usage(a->verb, "", "either --%s or --%s, not both", a->variant, name);
    a->variant = name;
    return 0;
}

static int add_file(struct pdk_arguments *a, const char *word) {
    if (a->files.count && !(a->verb->takes & PDK_TAKES_FILES))
        return pdk_say_usage(a->verb, "one file may include others", "a second file: %s", word);
    return add_word(a, &a->files, word);
}

/* One that we were started with; the tasks are not to have it. */
static int take_descriptor(struct pdk_arguments *a, int id, const char *text) {
    const char *why = NULL;
    a->ready_fd = (int)strtonum(text, 0, INT32_MAX, &why);
    if (why) return pdk_say_usage(a->verb, "write 3", "--%s: \"%s\" is no descriptor", by_id(id)->name, text);
    if (fcntl(a->ready_fd, F_SETFD, FD_CLOEXEC) == 0) return 0;
    return pdk_say_usage(a->verb, "", "--%s %s: %s", by_id(id)->name, text, strerror(errno));
}

static bool is_remote(int id) {
    return id >= PDK_OPT_REMOTE || id == PDK_OPT_ALL || id == PDK_OPT_FOLLOW || id == PDK_OPT_TAIL ||
           id == PDK_OPT_WAIT;
}

static int take_option(struct pdk_arguments *a, int id, const char *text) {
    switch (id) {
    case PDK_OPT_HELP: a->help = true; return 0;
    case PDK_OPT_QUIET: a->quiet = true; return 0;
    case PDK_OPT_VERBOSE: a->verbose++; return 0;
    case PDK_OPT_JSON: a->json = true; return 0;
    case PDK_OPT_DRY_RUN: a->dry_run = true; return 0;
    case PDK_OPT_TIMESTAMPS: a->timestamps = true; return 0;
    case PDK_OPT_NO_PLUGINS: a->no_plugins = true; return 0;
    case PDK_OPT_STRICT: a->strict = true; return 0;
    case PDK_OPT_LONG: a->long_form = true; return 0;
    case PDK_OPT_FIELDS: a->fields = true; return 0;
    case PDK_OPT_LIST: a->list = true; return 0;
    case PDK_OPT_KIND: a->kind = text; return 0;
    case PDK_OPT_WITH: a->with = text; return 0;
    case PDK_OPT_CONFIG: a->config = text; return 0;
    case PDK_OPT_CHECK_ONLY: a->check_only = true; return 0;
    case PDK_OPT_PID_FILE: a->pid_file = text; return 0;
    case PDK_OPT_WHERE:
    case PDK_OPT_SOCKET: a->socket = text; return 0;
    case PDK_OPT_READY_FD: return take_descriptor(a, id, text);
    case PDK_OPT_CHECK: return add_word(a, &a->checks, text);
    case PDK_OPT_ASYNC:
    case PDK_OPT_THREAD:
    case PDK_OPT_PROCESS: return take_variant(a, id);
    case PDK_OPT_OUTPUT: a->output = text; return 0;
    case PDK_OPT_STAY: a->stay = true; return 0;
    case PDK_OPT_TCP_SOCKET: a->tcp_socket = text; return 0;
    case PDK_OPT_CONFIG_FILE: return add_file(a, text);
    case PDK_OPT_FROM: a->from = text; return 0;
    case PDK_OPT_FORCE: a->force = true; return 0;
    case PDK_OPT_SELECTOR: a->selector = text; return 0;
    case PDK_OPT_EXIT_CODE_FROM: a->exit_code_from = text; return 0;
    case PDK_OPT_METRICS_FILE: a->metrics_file = text; return 0;
    case PDK_OPT_TIMEOUT: return take_duration(a, id, text, &a->timeout_ns);
    case PDK_OPT_PLUGIN: return add_word(a, &a->plugins, text);
    case PDK_OPT_PLUGIN_PATH: return add_word(a, &a->plugin_path, text);
    case PDK_OPT_SET: return add_word(a, &a->set, text);
    case PDK_OPT_ENV_FILE: return add_word(a, &a->env_files, text);
    case PDK_OPT_ONLY: return add_list(a, &a->only, text);
    default: return is_remote(id) ? pdk_option_take_remote(a, by_id(id), text) : take_choice(a, id, text);
    }
}

/* The option that is nearest to one that is not there. */
static const char *nearest_option(const struct pdk_verb *verb, const char *text) {
    const char *names[MOST_OPTIONS] = {NULL};
    const struct pdk_option *option;
    for (size_t i = 0; i < MOST_OPTIONS - 1 && (option = pdk_option_at(verb, i)); i++) names[i] = option->name;
    return pdk_nearest(text, names);
}

static int wrong_option(const struct pdk_verb *verb, int code, char **argv) {
    const struct pdk_option *known = by_id(optopt);
    const char *word = argv[optind - 1];
    bool letter = optopt > 0 && optopt < 256 && strncmp(word, "--", 2) != 0;
    if (code == ':') {
        if (known) return pdk_say_usage(verb, "", "--%s wants a value: %s", known->name, known->argument);
        return pdk_say_usage(verb, "", "%s wants a value", word);
    }
    if (letter) return pdk_say_usage(verb, "", "unknown option -%c", optopt);
    if (known && strchr(word, '=')) return pdk_say_usage(verb, "", "--%s takes no value", known->name);
    char name[64], hint[100] = "";
    (void)strlcpy(name, word + 2, sizeof name);
    name[strcspn(name, "=")] = '\0';
    const char *near = nearest_option(verb, name);
    if (near) {
        (void)strlcpy(hint, "did you mean --", sizeof hint);
        (void)strlcat(hint, near, sizeof hint);
        (void)strlcat(hint, "?", sizeof hint);
    }
    return pdk_say_usage(verb, hint, "unknown option %s", word);
}

/* The table in the words of getopt_long: letters of short ones, records of long ones. */
static void for_getopt(const struct pdk_verb *verb, char *letters, struct option *longs) {
    const struct pdk_option *option;
    *letters++ = ':';
    for (size_t i = 0; i < MOST_OPTIONS - 1 && (option = pdk_option_at(verb, i)); i++) {
        *longs++ = (struct option){option->name, option->argument ? required_argument : no_argument, NULL, option->id};
        if (option->id >= 256) continue;
        *letters++ = (char)option->id;
        if (option->argument) *letters++ = ':';
    }
    *letters = '\0';
    *longs = (struct option){NULL, 0, NULL, 0};
}

static bool is_file(const char *word) {
    const char *dot = strrchr(word, '.');
    if (strcmp(word, "-") == 0 || strchr(word, '/')) return true;
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

static int take_operand(struct pdk_arguments *a, const char *word) {
    const struct pdk_verb *verb = a->verb;
    if (verb->takes & PDK_TAKES_PATHS) return add_word(a, &a->files, word);
    if (is_file(word) && (verb->takes & (PDK_TAKES_FILE | PDK_TAKES_FILES))) return add_file(a, word);
    if (!(verb->takes & (PDK_TAKES_NAME | PDK_TAKES_NAMES)))
        return pdk_say_usage(verb,
                             verb->takes & PDK_TAKES_FILES ? "a file has a / or ends in .yaml, .yml or .json" : "",
                             "unexpected word \"%s\"", word);
    if (a->names.count && !(verb->takes & PDK_TAKES_NAMES))
        return pdk_say_usage(verb, "", "unexpected second word \"%s\"", word);
    return add_word(a, &a->names, word);
}

/* Where "--" stands, or argc. Found before getopt sees it, which would move the words before it. */
static int find_end(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0) return i;
    return argc;
}

static int read_words(struct pdk_arguments *a, int argc, char **argv) {
    char letters[2 * MOST_OPTIONS + 2];
    struct option longs[MOST_OPTIONS];
    int code, rc = 0;
    for_getopt(a->verb, letters, longs);
    opterr = 0;
    optind = 0;
    while (rc == 0 && (code = getopt_long(argc, argv, letters, longs, NULL)) != -1)
        rc = code == '?' || code == ':' ? wrong_option(a->verb, code, argv) : take_option(a, code, optarg);
    for (int i = optind; rc == 0 && i < argc; i++) rc = take_operand(a, argv[i]);
    return rc;
}

static int take_rest(struct pdk_arguments *a, int from, int argc, char **argv) {
    int rc = 0;
    if (a->verb->takes & PDK_TAKES_COMMAND) {
        if (from + 1 >= argc) return pdk_say_usage(a->verb, "as in -- COMMAND ARG...", "no command behind --");
        if (a->files.count || a->names.count)
            return pdk_say_usage(a->verb, "", "either %s or a command behind --, not both",
                                 a->files.count ? a->files.items[0] : a->names.items[0]);
        a->command = (const char *const *)argv + from + 1;
        return 0;
    }
    for (int i = from + 1; rc == 0 && i < argc; i++) rc = take_operand(a, argv[i]);
    return rc;
}

int pdk_arguments_read(struct pdk_arguments *a, const struct pdk_verb *verb, int argc, char **argv) {
    static const char *nothing[] = {NULL};
    struct pdk_words *lists[] = {&a->files,     &a->names, &a->plugin_path, &a->plugins,       &a->set,
                                 &a->env_files, &a->only,  &a->checks,      &a->remote.labels, &a->remote.parameters};
    *a = (struct pdk_arguments){.verb = verb, .ready_fd = -1, .remote = {.tail = -1}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) lists[i]->items = nothing;
    int end = find_end(argc, argv);
    char *cut = end < argc ? argv[end] : NULL;
    argv[end] = NULL;
    int rc = read_words(a, end, argv);
    if (!cut) return rc;
    argv[end] = cut;
    return rc || a->help ? rc : take_rest(a, end, argc, argv);
}

int pdk_arguments_selector(struct pdk_arguments *a, struct pdk_selector *ret) {
    pdk_error err = PDK_ERROR;
    if (!a->selector || pdk_selector_parse(a->selector, &a->arena, ret, &err) == 0) return 0;
    return pdk_say_usage(a->verb, err.hint, "-l %s: %s", a->selector, err.message);
}

void pdk_arguments_free(struct pdk_arguments *a) {
    pdk_arena_free(&a->arena);
}
