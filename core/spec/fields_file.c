/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a file: its top level, limits, shutdown, entries of plugins, sources and metrics. */
#include <stddef.h>

#include "core/base/clock.h"
#include "core/spec/fields.h"

#define LIMIT(member)  .offset = offsetof(struct pdk_limits, member)
#define ENTRY(member)  .offset = offsetof(struct pdk_plugin_entry_config, member)
#define SERVER(member) .offset = offsetof(struct pdk_server, member)
#define LABELS         .json = "{\"$ref\":\"#/$defs/labels\"}"
#define MAP            .json = "{\"type\":\"object\"}"

const struct pdk_field pdk_limit_rows[] = {
    {PDK_FIELD_NAME("running"), .type = PDK_FIELD_INT, .flags = PDK_FIELD_UNLIMITED, LIMIT(running), .min = 1,
     .max = 10000000, .words = "int 1.. or unlimited", .fallback = "unlimited", .doc = "Attempts at the same time"},
    {PDK_FIELD_NAME("queued"), .type = PDK_FIELD_INT, LIMIT(queued), .min = 1, .max = 10000000,
     .words = "int 1..10000000", .fallback = "100000", .doc = "Runs accepted and not ended"},
    {PDK_FIELD_NAME("slot_queue"), .type = PDK_FIELD_INT, LIMIT(slot_queue), .max = 1000000, .words = "int 0..1000000",
     .fallback = "100", .doc = "Runs that wait for one slot"},
    {PDK_FIELD_NAME("history"), .type = PDK_FIELD_INT, LIMIT(history), .max = 1000000, .words = "int 0..1000000",
     .fallback = "1000", .doc = "Ended runs that are remembered"},
    {PDK_FIELD_NAME("history_age"), .type = PDK_FIELD_DURATION, LIMIT(history_age), .max = 365 * PDK_DAY,
     .words = "duration 0..365d", .fallback = "24h", .doc = "How long they are remembered"},
    {PDK_FIELD_NAME("events"), .type = PDK_FIELD_INT, LIMIT(events), .min = 16, .max = 1000000,
     .words = "int 16..1000000", .fallback = "1024", .doc = "Events that wait for one listener"},
    {PDK_FIELD_NAME("line"), .type = PDK_FIELD_SIZE, LIMIT(line), .min = 256, .max = 1 << 20,
     .words = "size 256B..1MiB", .fallback = "16KiB", .doc = "The longest line of output; a longer one is cut in two"},
    {.name = NULL},
};

const struct pdk_field pdk_shutdown_rows[] = {
    {PDK_FIELD_NAME("drain"), .type = PDK_FIELD_DURATION, LIMIT(drain), .max = PDK_DAY, .words = "duration 0..24h",
     .fallback = "0s", .doc = "How long runs may go on before they are asked to stop"},
    {PDK_FIELD_NAME("grace"), .type = PDK_FIELD_DURATION, LIMIT(grace), .max = PDK_DAY, .words = "duration 0..24h",
     .fallback = "30s", .doc = "How long they may take to stop; then all are killed"},
    {PDK_FIELD_NAME("flush"), .type = PDK_FIELD_DURATION, LIMIT(flush), .max = PDK_HOUR, .words = "duration 0..1h",
     .fallback = "5s", .doc = "How long sources may take to hand back their last outcomes"},
    {.name = NULL},
};

static const char *const log_words[] = {"error", "warn", "info", "debug", "trace", NULL};
static const char *const format_words[] = {"auto", "text", "json", NULL};

const struct pdk_field pdk_server_rows[] = {
    {PDK_FIELD_NAME("socket"), .type = PDK_FIELD_PATH, SERVER(socket), .words = "path",
     .fallback = "/run/paddock.sock, or $XDG_RUNTIME_DIR/paddock.sock", .doc = "Where a console listens"},
    {PDK_FIELD_NAME("mode"), .type = PDK_FIELD_OWN, .read = pdk_read_mode, SERVER(mode), .words = "octal mode",
     .fallback = "0600", .doc = "Who may use the socket", .json = "{\"type\":\"string\",\"pattern\":\"^0?[0-7]{3}$\"}"},
    {PDK_FIELD_NAME("group"), .type = PDK_FIELD_TEXT, SERVER(group), .min = 1, .max = 64, .words = "group",
     .fallback = "unchanged", .doc = "The group of the socket"},
    {PDK_FIELD_NAME("state"), .type = PDK_FIELD_PATH, SERVER(state), .words = "path",
     .fallback = "$STATE_DIRECTORY, /var/lib/paddock, or $XDG_STATE_HOME/paddock",
     .doc = "The folder of what outlives us; one server has it at a time"},
    {PDK_FIELD_NAME("log"), .type = PDK_FIELD_CHOICE, SERVER(log), .choices = log_words,
     .words = "error, warn, info, debug or trace", .fallback = "info", .doc = "How much is said"},
    {PDK_FIELD_NAME("log_format"), .type = PDK_FIELD_CHOICE, SERVER(log_format), .choices = format_words,
     .words = "auto, text or json", .fallback = "auto",
     .doc = "auto: text on a terminal and in the journal, else JSON"},
    {PDK_FIELD_NAME("trusted_user"), .type = PDK_FIELD_TEXT, SERVER(trusted_user), .min = 1, .max = 64, .words = "user",
     .fallback = "the user that runs it",
     .doc = "Who, besides root, may own the files that are read and the plugins that are loaded"},
    {PDK_FIELD_NAME("without"), .type = PDK_FIELD_NAMES, SERVER(without), .words = "list of: queue, console, archive",
     .fallback = "[]", .doc = "Those of them that are not to be loaded, although they are on the plugin path",
     .json = "{\"type\":\"array\",\"items\":{\"enum\":[\"queue\",\"console\",\"archive\"]}}"},
    {.name = NULL},
};

#define ALLOW                                                                                                          \
    {                                                                                                                  \
        PDK_FIELD_NAME("allow"), .type = PDK_FIELD_NAMES, ENTRY(allow), .words = "list of: control", .fallback = "[]", \
                                 .doc = "control: it may submit, cancel and reload; console may always",               \
                                 .json = "{\"type\":\"array\",\"items\":{\"enum\":[\"control\"]}}"                     \
    }

const struct pdk_field pdk_plugin_rows[] = {
    {PDK_FIELD_NAME("use"), .type = PDK_FIELD_TEXT, .flags = PDK_FIELD_REQUIRED, ENTRY(use), .min = 1, .max = 4096,
     .words = "name or path", .fallback = "required", .doc = "The plugin; a path has a /"},
    {PDK_FIELD_NAME("name"), .type = PDK_FIELD_TEXT, ENTRY(name), .min = 1, .max = 64, .words = "name",
     .fallback = "the base name of use", .doc = "What this instance is called; unique"},
    {PDK_FIELD_NAME("labels"), .type = PDK_FIELD_ANY, ENTRY(labels), .words = "map label -> value", .fallback = "{}",
     .doc = "What selectors of tasks look at", LABELS},
    {PDK_FIELD_NAME("config"), .type = PDK_FIELD_ANY, ENTRY(config), .words = "map", .fallback = "{}",
     .doc = "Checked by the plugin's schema", MAP},
    {PDK_FIELD_NAME("optional"), .type = PDK_FIELD_BOOL, ENTRY(optional), .words = "bool", .fallback = "false",
     .doc = "A missing file is a warning"},
    {PDK_FIELD_NAME("isolation"), .type = PDK_FIELD_OWN, .read = pdk_read_isolation, ENTRY(isolation),
     .fields = pdk_isolation_rows, .words = "none, process, or a map", .fallback = "none",
     .doc = "process: the runner has a process of its own, so that a crash costs its own attempts alone",
     .json = "{\"enum\":[\"none\",\"process\"]}"},
    ALLOW,
    {.name = NULL},
};

const struct pdk_field pdk_source_rows[] = {
    {PDK_FIELD_NAME("use"), .type = PDK_FIELD_TEXT, .flags = PDK_FIELD_REQUIRED, ENTRY(use), .min = 1, .max = 4096,
     .words = "name or path", .fallback = "required", .doc = "The plugin; a path has a /"},
    {PDK_FIELD_NAME("name"), .type = PDK_FIELD_TEXT, ENTRY(name), .min = 1, .max = 64, .words = "name",
     .fallback = "the base name of use", .doc = "What this instance is called; unique"},
    {PDK_FIELD_NAME("config"), .type = PDK_FIELD_ANY, ENTRY(config), .words = "map", .fallback = "{}",
     .doc = "Checked by the plugin's schema", MAP},
    {PDK_FIELD_NAME("optional"), .type = PDK_FIELD_BOOL, ENTRY(optional), .words = "bool", .fallback = "false",
     .doc = "A missing file is a warning"},
    {PDK_FIELD_NAME("tasks"), .type = PDK_FIELD_NAMES, ENTRY(tasks), .words = "list of tasks, or one", .fallback = "[]",
     .doc = "Declared tasks that messages become runs of; a message names one unless there is one alone, and gives its "
            "input"},
    {PDK_FIELD_NAME("kinds"), .type = PDK_FIELD_NAMES, ENTRY(kinds), .words = "list of kinds, or one", .fallback = "[]",
     .doc = "Kinds that a message may name itself, and then everything of the task"},
    {PDK_FIELD_NAME("defaults"), .type = PDK_FIELD_ANY, ENTRY(defaults), .words = "task without needs, after, slot",
     .fallback = "{}", .doc = "Used for every message that names a kind", .json = "{\"$ref\":\"#/$defs/defaults\"}"},
    {PDK_FIELD_NAME("pending"), .type = PDK_FIELD_INT, ENTRY(pending), .min = 1, .max = 1000000,
     .words = "int 1..1000000", .fallback = "1000",
     .doc = "Messages accepted whose runs have not ended; beyond, it is asked to wait"},
    ALLOW,
    {.name = NULL},
};

const struct pdk_field pdk_metrics_rows[] = {
    {PDK_FIELD_NAME("use"), .type = PDK_FIELD_TEXT, .flags = PDK_FIELD_REQUIRED, ENTRY(use), .min = 1, .max = 4096,
     .words = "name or path", .fallback = "required", .doc = "The backend; a path has a /"},
    {PDK_FIELD_NAME("name"), .type = PDK_FIELD_TEXT, ENTRY(name), .min = 1, .max = 64, .words = "name",
     .fallback = "the base name of use", .doc = "What this instance is called; unique"},
    {PDK_FIELD_NAME("config"), .type = PDK_FIELD_ANY, ENTRY(config), .words = "map", .fallback = "{}",
     .doc = "Checked by the plugin's schema", MAP},
    {PDK_FIELD_NAME("optional"), .type = PDK_FIELD_BOOL, ENTRY(optional), .words = "bool", .fallback = "false",
     .doc = "A missing file is a warning"},
    {PDK_FIELD_NAME("task_label"), .type = PDK_FIELD_BOOL, ENTRY(task_label), .words = "bool", .fallback = "false",
     .doc = "Add the label task; how many series that makes is then up to you"},
    {.name = NULL},
};

const struct pdk_field pdk_file_rows[] = {
    {PDK_FIELD_NAME("tasks"), .type = PDK_FIELD_ANY, .words = "map name -> task", .fallback = "{}",
     .doc = "What to run",
     .json = "{\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$\"},"
             "\"additionalProperties\":{\"$ref\":\"#/$defs/task\"}}"},
    {PDK_FIELD_NAME("defaults"), .type = PDK_FIELD_ANY, .words = "task without command, needs, after, slot",
     .fallback = "{}",
     .doc = "Used for every task of this file and its includes; scalars and lists are replaced, the maps env, labels, "
            "backoff, stop and with are merged key by key; a relative path starts at the file it is written in",
     .json = "{\"$ref\":\"#/$defs/defaults\"}"},
    {PDK_FIELD_NAME("include"), .type = PDK_FIELD_ANY, .words = "list of globs, or one", .fallback = "[]",
     .doc = "More files, relative to this one, sorted; a pattern without wildcard must match",
     .json = "{\"$ref\":\"#/$defs/names\"}"},
    {PDK_FIELD_NAME("plugins"), .type = PDK_FIELD_ANY, .words = "list of plugin", .fallback = "[]",
     .doc = "Routing order; plugins only on the plugin path come after, by name",
     .json = "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/plugin\"}}"},
    {PDK_FIELD_NAME("sources"), .type = PDK_FIELD_ANY, .words = "list of source", .fallback = "[]",
     .doc = "Where messages come from that become runs; `run` starts none. A source runs nothing that its entry does "
            "not name",
     .json = "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/source\"}}"},
    {PDK_FIELD_NAME("metrics"), .type = PDK_FIELD_ANY, .words = "backend, or list", .fallback = "none",
     .doc = "Who records metrics; `metrics: prometheus` is `{use: prometheus}`",
     .json =
         "{\"anyOf\":[{\"$ref\":\"#/$defs/metrics\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/metrics\"}}]}"},
    {PDK_FIELD_NAME("limits"), .type = PDK_FIELD_ANY, .fields = pdk_limit_rows, .words = "map", .fallback = "{}",
     .doc = "Bounds of the supervisor"},
    {PDK_FIELD_NAME("shutdown"), .type = PDK_FIELD_ANY, .fields = pdk_shutdown_rows, .words = "map",
     .fallback = "{drain: 0s, grace: 30s, flush: 5s}", .doc = "How the supervisor ends"},
    {PDK_FIELD_NAME("server"), .type = PDK_FIELD_ANY, .fields = pdk_server_rows, .words = "map", .fallback = "{}",
     .doc = "Its control socket, state and log; used by `serve`"},
    {.name = NULL},
};
