/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a task's fields, in the order of the manual. Reading, checking, documents and editors' schemas all
 * come from these rows; a field of a later version is a row whose `since` is larger than PDK_SPEC_VERSION. */
#include <stddef.h>

#include "core/base/clock.h"
#include "core/spec/body.h"

#define TASK(member)    .offset = offsetof(struct pdk_task_body, task.member)
#define PROGRAM(member) .offset = offsetof(struct pdk_task_body, program.member)
#define OWN(reader)     .type = PDK_FIELD_OWN, .read = (reader)
#define YEAR            (365 * PDK_DAY)
#define LONGEST         (3650 * PDK_DAY)

static const char *const restarts[] = {"never", "on-failure", "always", NULL};
static const char *const jitters[] = {"none", "full", "equal", "decorrelated", NULL};
static const char *const busy_words[] = {"drop", "queue", "replace", NULL};
static const char *const stop_targets[] = {"group", "leader", NULL};

static const struct pdk_field resource_rows[] = {
    {PDK_FIELD_NAME("cpu"), .type = PDK_FIELD_NUMBER, PROGRAM(resources.cpu), .max = 10000, .words = "number > 0",
     .fallback = "none", .doc = "Processors, 0.5 is half of one"},
    {PDK_FIELD_NAME("memory"), .type = PDK_FIELD_SIZE, PROGRAM(resources.memory), .min = 4096, .max = INT64_MAX,
     .words = "size 4KiB..", .fallback = "none", .doc = "Bytes of memory"},
    {PDK_FIELD_NAME("pids"), .type = PDK_FIELD_INT, PROGRAM(resources.pids), .min = 1, .max = 4194304,
     .fallback = "none", .doc = "Processes and threads"},
    {.name = NULL},
};

static const struct pdk_field retries_rows[] = {
    {PDK_FIELD_NAME("limit"), .type = PDK_FIELD_INT, .flags = PDK_FIELD_REQUIRED | PDK_FIELD_UNLIMITED,
     TASK(policy.retries), .max = 1000000000, .words = "int 0.. or unlimited", .fallback = "required",
     .doc = "Failures that are retried"},
    {PDK_FIELD_NAME("within"), .type = PDK_FIELD_DURATION, TASK(policy.retries_within), .min = PDK_MILLISECOND,
     .max = YEAR, .fallback = "none", .doc = "Only failures in this time count"},
    {.name = NULL},
};

static const struct pdk_field backoff_rows[] = {
    {PDK_FIELD_NAME("first"), .type = PDK_FIELD_DURATION, .flags = PDK_FIELD_ZERO, TASK(policy.backoff_first),
     .min = PDK_MILLISECOND, .max = YEAR, .fallback = "200ms",
     .doc = "The first pause; 0s: no pause, this time or later, but at most 10 starts in 10s"},
    {PDK_FIELD_NAME("max"), .type = PDK_FIELD_DURATION, .flags = PDK_FIELD_ZERO, TASK(policy.backoff_max),
     .min = PDK_MILLISECOND, .max = YEAR, .fallback = "30s", .doc = "No pause is longer"},
    {PDK_FIELD_NAME("factor"), OWN(pdk_read_factor), .words = "number 1..100", .fallback = "2",
     .doc = "Each pause is so many times as long as the one before",
     .json = "{\"type\":\"number\",\"minimum\":1,\"maximum\":100}"},
    {PDK_FIELD_NAME("jitter"), .type = PDK_FIELD_CHOICE, TASK(policy.jitter), .choices = jitters, .fallback = "equal",
     .doc = "How much of a pause is random: none of it, all, half, or from first to three times the pause"},
    {PDK_FIELD_NAME("reset"), .type = PDK_FIELD_DURATION, TASK(policy.backoff_reset), .min = PDK_MILLISECOND,
     .max = YEAR, .fallback = "1m", .doc = "An attempt that lived so long starts the pauses over, never the count"},
    {.name = NULL},
};

static const struct pdk_field stop_rows[] = {
    {PDK_FIELD_NAME("signal"), .mark = PDK_MARK_STOP_SIGNAL, OWN(pdk_read_stop_signal), .words = "signal",
     .fallback = "TERM", .doc = "What asks it to end", .json = "{\"$ref\":\"#/$defs/signal\"}"},
    {PDK_FIELD_NAME("command"), .mark = PDK_MARK_STOP_COMMAND, .type = PDK_FIELD_COMMAND, PROGRAM(stop_command),
     .fallback = "none", .doc = "A command that asks it to end, instead of a signal"},
    {PDK_FIELD_NAME("grace"), .type = PDK_FIELD_DURATION, TASK(plugin.grace_ns), .max = PDK_DAY, .fallback = "10s",
     .doc = "How long it may take; then KILL to the whole group, always"},
    {PDK_FIELD_NAME("to"), .mark = PDK_MARK_STOP_TO, .type = PDK_FIELD_CHOICE, PROGRAM(stop_to),
     .choices = stop_targets, .fallback = "group", .doc = "Who gets the signal"},
    {.name = NULL},
};

static const struct pdk_field exit_rows[] = {
    {PDK_FIELD_NAME("success"), .type = PDK_FIELD_ANY, .offset = 0 * sizeof(const pdk_value *), .words = "codes",
     .fallback = "[0]", .doc = "It has done its work", .json = "{\"$ref\":\"#/$defs/codes\"}"},
    {PDK_FIELD_NAME("retry"), .type = PDK_FIELD_ANY, .offset = 1 * sizeof(const pdk_value *), .words = "codes",
     .fallback = "[]", .doc = "It asks to be started again", .json = "{\"$ref\":\"#/$defs/codes\"}"},
    {PDK_FIELD_NAME("fatal"), .type = PDK_FIELD_ANY, .offset = 2 * sizeof(const pdk_value *), .words = "codes",
     .fallback = "[]", .doc = "Never tried again", .json = "{\"$ref\":\"#/$defs/codes\"}"},
    {.name = NULL},
};

static const struct pdk_field ready_rows[] = {
    {PDK_FIELD_NAME("notify"), .mark = PDK_MARK_READY_NOTIFY, .type = PDK_FIELD_BOOL, PROGRAM(notify),
     .fallback = "false", .doc = "It says READY=1 on NOTIFY_SOCKET"},
    {PDK_FIELD_NAME("command"), .mark = PDK_MARK_READY_COMMAND, OWN(pdk_read_ready_command),
     .words = "shell text, or list", .fallback = "none", .doc = "This command ends with 0",
     .json = "{\"$ref\":\"#/$defs/command\"}"},
    {PDK_FIELD_NAME("tcp"), .mark = PDK_MARK_READY_TCP, OWN(pdk_read_ready_tcp), .words = "host:port",
     .fallback = "none", .doc = "A connection is accepted here", .json = "{\"type\":\"string\"}"},
    {PDK_FIELD_LATER("http", 2), .mark = PDK_MARK_LATER, .words = "URL", .fallback = "none",
     .doc = "This URL answers with 2xx or 3xx", .instead = "use command: [curl, -fsS, URL]"},
    {PDK_FIELD_NAME("line"), .mark = PDK_MARK_READY_LINE, OWN(pdk_read_ready_line), .words = "regular expression",
     .fallback = "none", .doc = "A line of its output matches", .json = "{\"type\":\"string\"}"},
    {PDK_FIELD_NAME("every"), .type = PDK_FIELD_DURATION, TASK(ready.every), .min = 10 * PDK_MILLISECOND,
     .max = PDK_DAY, .fallback = "5s", .doc = "Pause between two checks"},
    {PDK_FIELD_NAME("timeout"), .type = PDK_FIELD_DURATION, TASK(ready.timeout), .min = 10 * PDK_MILLISECOND,
     .max = PDK_DAY, .fallback = "5s", .doc = "Of one check"},
    {PDK_FIELD_NAME("within"), .type = PDK_FIELD_DURATION, TASK(ready.within), .min = PDK_MILLISECOND, .max = YEAR,
     .fallback = "60s", .doc = "Up to when; then the attempt fails as not_ready"},
    {.name = NULL},
};

static const struct pdk_field log_rows[] = {
    {PDK_FIELD_NAME("file"), .type = PDK_FIELD_PATH, .flags = PDK_FIELD_REQUIRED, TASK(log.file),
     .fallback = "required", .doc = "Where the output goes"},
    {PDK_FIELD_NAME("stderr"), .type = PDK_FIELD_PATH, TASK(log.stderr_file), .fallback = "together with file",
     .doc = "Where errors go"},
    {PDK_FIELD_NAME("max_size"), .type = PDK_FIELD_SIZE, TASK(log.max_size), .min = 4096, .max = INT64_MAX,
     .words = "size 4KiB..", .fallback = "10MiB", .doc = "Then a new file is begun"},
    {PDK_FIELD_NAME("keep"), .type = PDK_FIELD_INT, TASK(log.keep), .max = 100, .fallback = "5",
     .doc = "Old files that stay"},
    {.name = NULL},
};

const struct pdk_field pdk_task_rows[] = {
    {PDK_FIELD_NAME("kind"), .mark = PDK_MARK_KIND, OWN(pdk_read_kind), .words = "name",
     .fallback = "subprocess if command is given", .doc = "Which sort of work; routes to a runner that serves it",
     .json = "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9._-]{1,64}$\"}"},
    {PDK_FIELD_NAME("command"), .words = "shell text, or list", .mark = PDK_MARK_COMMAND, .type = PDK_FIELD_COMMAND,
     .flags = PDK_FIELD_NO_DEFAULT, PROGRAM(command), .fallback = "required by kinds that run programs",
     .doc = "Text runs by `/bin/sh -c`; a list is executed as it is, no shell"},
    {PDK_FIELD_NAME("env"), .mark = PDK_MARK_ENV, OWN(pdk_read_env), .flags = PDK_FIELD_MERGE,
     .words = "map NAME -> scalar or secret", .fallback = "{}",
     .doc = "Environment; NAME `[A-Za-z_][A-Za-z0-9_]*`; null unsets one inherited",
     .json = "{\"$ref\":\"#/$defs/env\"}"},
    {PDK_FIELD_NAME("env_file"), .mark = PDK_MARK_ENV_FILE, OWN(pdk_read_env_file), .flags = PDK_FIELD_FILE,
     .words = "path, {path, optional}, or list", .fallback = "[]",
     .doc = "`NAME=value` lines; `env` wins; no expansion; quotes as in systemd",
     .json = "{\"$ref\":\"#/$defs/env_file\"}"},
    {PDK_FIELD_NAME("cwd"), .words = "path", .mark = PDK_MARK_CWD, .type = PDK_FIELD_PATH, PROGRAM(cwd),
     .fallback = "the file's folder (from a source: /)", .doc = "Working directory"},
    {PDK_FIELD_NAME("user"), .mark = PDK_MARK_USER, OWN(pdk_read_user), .words = "name[:group]",
     .fallback = "unchanged", .doc = "Who runs it; refused unless permitted",
     .json = "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?$\"}"},
    {PDK_FIELD_NAME("resources"), .mark = PDK_MARK_RESOURCES, OWN(pdk_read_resources), .fields = resource_rows,
     .words = "{cpu: number, memory: size, pids: int}", .fallback = "none",
     .doc = "Hard limits (cgroup, container, Pod); a runner that cannot enforce them refuses"},
    {PDK_FIELD_NAME("with"), OWN(pdk_read_with), .flags = PDK_FIELD_MERGE, .words = "map", .fallback = "{}",
     .doc = "The runner's own parameters, checked by its schema", .json = "{\"type\":\"object\"}"},
    {PDK_FIELD_NAME("input"), .type = PDK_FIELD_ANY, .flags = PDK_FIELD_NULL, TASK(plugin.input), .words = "any",
     .fallback = "null", .doc = "Payload; programs read it as JSON on stdin (null: /dev/null)"},
    {PDK_FIELD_NAME("labels"), OWN(pdk_read_labels), .flags = PDK_FIELD_MERGE, .words = "map label -> value",
     .fallback = "{}", .doc = "For you: `-l`, events, ps; routing looks at the runners' labels, not at these",
     .json = "{\"$ref\":\"#/$defs/labels\"}"},
    {PDK_FIELD_NAME("selector"), OWN(pdk_read_selector), .words = "selector", .fallback = "{}",
     .doc = "Which runners may take it, by their labels", .json = "{\"$ref\":\"#/$defs/selector\"}"},
    {PDK_FIELD_NAME("description"), .type = PDK_FIELD_TEXT, TASK(description), .max = 1024, .words = "string <=1KiB",
     .fallback = "\"\"", .doc = "Shown by ps, show, completion"},
    {PDK_FIELD_NAME("manual"), .words = "bool", .type = PDK_FIELD_BOOL, TASK(manual), .fallback = "false",
     .doc = "Starts only when named (`run TASK`, `-l`, a source, on_failure)"},
    {PDK_FIELD_NAME("replicas"), .words = "int 1..1000", .type = PDK_FIELD_INT, TASK(replicas), .min = 1, .max = 1000,
     .fallback = "1",
     .doc = "Copies NAME.1 .. NAME.n with slots SLOT.1 .. and PADDOCK_REPLICA; others name the whole (needs: all of "
            "them)"},
    {PDK_FIELD_NAME("restart"), .words = "never, on-failure, always", .mark = PDK_MARK_RESTART,
     .type = PDK_FIELD_CHOICE, TASK(policy.restart), .choices = restarts, .fallback = "never",
     .doc = "What follows an attempt's end"},
    {PDK_FIELD_NAME("every"), .words = "duration 1ms..365d", .mark = PDK_MARK_EVERY, .type = PDK_FIELD_DURATION,
     TASK(policy.every), .min = PDK_MILLISECOND, .max = YEAR, .fallback = "none",
     .doc = "Run again this long after a success; implies restart: always; after a failure backoff decides"},
    {PDK_FIELD_NAME("retries"), .mark = PDK_MARK_RETRIES, OWN(pdk_read_retries), .fields = retries_rows,
     .words = "int 0.. or unlimited, or {limit, within}", .fallback = "unlimited",
     .doc = "Failures in a row that are retried; with `within`, failures in that time",
     .json = "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{\"const\":\"unlimited\"}]}"},
    {PDK_FIELD_NAME("backoff"), .mark = PDK_MARK_BACKOFF, OWN(pdk_read_backoff), .flags = PDK_FIELD_MERGE,
     .fields = backoff_rows, .words = "duration or map",
     .fallback = "{first: 200ms, max: 30s, factor: 2, jitter: equal, reset: 1m}",
     .doc =
         "Pause before a retry; jitter none full equal decorrelated; first 0s (no pause; at most 10 starts in 10s) or "
         ">=1ms, max>=first, factor 1..100; an attempt that lived `reset` starts the pauses over (never the count)",
     .json = "{\"$ref\":\"#/$defs/duration\"}"},
    {PDK_FIELD_NAME("timeout"), .type = PDK_FIELD_DURATION, .flags = PDK_FIELD_NONE, TASK(plugin.timeout_ns), .min = 1,
     .max = LONGEST, .words = "duration >0, or none", .fallback = "none", .doc = "Per attempt: then stop, then kill"},
    {PDK_FIELD_NAME("deadline"), .type = PDK_FIELD_DURATION, .flags = PDK_FIELD_NONE, TASK(deadline), .min = 1,
     .max = LONGEST, .words = "duration >0, or none", .fallback = "none",
     .doc = "For the whole run, queueing and retries included"},
    {PDK_FIELD_NAME("stop"), OWN(pdk_read_stop), .flags = PDK_FIELD_MERGE, .fields = stop_rows,
     .words = "signal or map", .fallback = "{signal: TERM, grace: 10s, to: group}",
     .doc = "`to` group or leader; `command` (as command) instead of a signal; `grace` 0..24h, then KILL to the whole "
            "group, always",
     .json = "{\"$ref\":\"#/$defs/signal\"}"},
    {PDK_FIELD_NAME("reload"), .mark = PDK_MARK_RELOAD, OWN(pdk_read_reload), .words = "signal or command list",
     .fallback = "none", .doc = "What `paddock reload TASK` does",
     .json = "{\"anyOf\":[{\"$ref\":\"#/$defs/signal\"},{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/"
             "$defs/text\"}}]}"},
    {PDK_FIELD_NAME("exit"), .mark = PDK_MARK_EXIT, OWN(pdk_read_exit), .fields = exit_rows,
     .words = "{success: codes, retry: codes, fatal: codes}", .fallback = "{success: [0]}",
     .doc = "Exit codes; `codes` = int 0..255 or \"1-63\"; fatal is never retried; the rest is failure; no code twice"},
    {PDK_FIELD_NAME("ready"), OWN(pdk_read_ready), .fields = ready_rows, .words = "notify, duration, or check",
     .fallback = "at once", .doc = "When the attempt counts as up",
     .json = "{\"anyOf\":[{\"const\":\"notify\"},{\"$ref\":\"#/$defs/duration\"}]}"},
    {PDK_FIELD_LATER("health", 3), .mark = PDK_MARK_LATER, .words = "check + failures 1..100 (3)", .fallback = "none",
     .doc = "The same check for ever; this many failures in a row end the attempt as failed"},
    {PDK_FIELD_NAME("after"), .mark = PDK_MARK_AFTER, .type = PDK_FIELD_NAMES, .flags = PDK_FIELD_NO_DEFAULT,
     TASK(after), .words = "list of tasks", .fallback = "[]",
     .doc = "Start when these are ready (or have succeeded); if one never can be, as needs"},
    {PDK_FIELD_NAME("needs"), .mark = PDK_MARK_NEEDS, .type = PDK_FIELD_NAMES, .flags = PDK_FIELD_NO_DEFAULT,
     TASK(needs), .words = "list of tasks", .fallback = "[]",
     .doc = "Start when these have succeeded; if one ends otherwise, this run is rejected, reason needs_failed"},
    {PDK_FIELD_NAME("slot"), OWN(pdk_read_slot), .flags = PDK_FIELD_NO_DEFAULT, .words = "name",
     .fallback = "task name", .doc = "At most one run of a slot at a time; `[A-Za-z0-9._-]{1,64}`, not `.` or `..`",
     .json = "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9._-]{1,64}$\"}"},
    {PDK_FIELD_NAME("when_busy"), .words = "drop, queue, replace", .type = PDK_FIELD_CHOICE, TASK(when_busy),
     .choices = busy_words, .fallback = "drop", .doc = "If the slot is taken"},
    {PDK_FIELD_NAME("log"), OWN(pdk_read_log), .flags = PDK_FIELD_FILE, .fields = log_rows, .words = "path or map",
     .fallback = "to Paddock's output",
     .doc = "{file, stderr: file, max_size: 10MiB, keep: 5 (0..100)}; stderr joins file unless given",
     .json = "{\"type\":\"string\"}"},
    {PDK_FIELD_LATER("schedule", 2), .mark = PDK_MARK_LATER, .words = "cron or map", .fallback = "none",
     .doc =
         "{cron, timezone: local, jitter: 0s, catch_up: false}; cron: 5 or 6 fields (seconds first), names, `@hourly` "
         "..; or a list of them. Each firing is a new run"},
    {PDK_FIELD_LATER("on_failure", 2), .mark = PDK_MARK_LATER, .words = "task name", .fallback = "none",
     .doc = "Then submit that (manual) task, with PADDOCK_CAUSE_*"},
    {PDK_FIELD_LATER("on_success", 2), .mark = PDK_MARK_LATER, .words = "task name", .fallback = "none",
     .doc = "Then submit that (manual) task, with PADDOCK_CAUSE_*"},
    {PDK_FIELD_LATER("queue", 2), .mark = PDK_MARK_LATER, .words = "name", .fallback = "memory",
     .doc = "The durable queue that holds it"},
    {PDK_FIELD_LATER("priority", 2), .mark = PDK_MARK_LATER, .words = "int -100..100", .fallback = "0",
     .doc = "Higher first, also in the slot's queue"},
    {PDK_FIELD_LATER("delay", 2), .mark = PDK_MARK_LATER, .words = "duration 0..365d", .fallback = "0s",
     .doc = "Not before"},
    {PDK_FIELD_LATER("key", 2), .mark = PDK_MARK_LATER, .words = "string 1..255B", .fallback = "none",
     .doc = "Idempotency: the same key while one is unfinished or kept joins it"},
    {PDK_FIELD_LATER("steps", 2), .mark = PDK_MARK_LATER, .words = "map name -> task", .fallback = "none",
     .doc = "A flow: `needs` between steps; excludes command and with"},
    {PDK_FIELD_LATER("matrix", 2), .mark = PDK_MARK_LATER, .words = "map name -> list", .fallback = "none",
     .doc =
         "One copy per combination (<=1000), named and slotted like replicas; values in env as MATRIX_NAME, in labels, "
         "in ps; excludes replicas"},
    {.name = NULL},
};

_Static_assert(sizeof pdk_task_rows / sizeof *pdk_task_rows <= PDK_TASK_ROWS, "room for what each row was given");

const struct pdk_field_doc *pdk_task_field(size_t i) {
    for (const struct pdk_field *row = pdk_task_rows; row->name; row++)
        if (row->since <= PDK_SPEC_VERSION && i-- == 0) return &row->text;
    return NULL;
}
