/* SPDX-License-Identifier: Apache-2.0 */
/* `isolation` of an entry of plugins: a word, or a map with limits. */
#include <stddef.h>
#include <stdio.h>

#include "core/base/clock.h"
#include "core/spec/fields.h"

#define OF(member) .offset = offsetof(struct pdk_isolation, member)

static const char *const modes[] = {
    [PDK_ISOLATION_NONE] = "none", [PDK_ISOLATION_PROCESS] = "process", [PDK_ISOLATION_PROCESS + 1] = NULL};

static const struct pdk_field mode_row = {PDK_FIELD_NAME("mode"), .type = PDK_FIELD_CHOICE, OF(mode), .choices = modes};

/* A map whose keys go into the same struct. */
static void read_map(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value, void *base) {
    if (pdk_read_is_map(reading, value, "a map")) pdk_fields_read(reading, row->fields, value, base);
}

static const struct pdk_field resource_rows[] = {
    {PDK_FIELD_NAME("cpu"), .type = PDK_FIELD_NUMBER, OF(resources.cpu), .max = 10000, .words = "number > 0",
     .fallback = "none", .doc = "Processors, 0.5 is half of one"},
    {PDK_FIELD_NAME("memory"), .type = PDK_FIELD_SIZE, OF(resources.memory), .min = 1 << 20, .max = INT64_MAX,
     .words = "size 1MiB..", .fallback = "none", .doc = "Bytes of memory"},
    {PDK_FIELD_NAME("pids"), .type = PDK_FIELD_INT, OF(resources.pids), .min = 1, .max = 4194304, .words = "int 1..",
     .fallback = "none", .doc = "Processes and threads; the plugin's own process needs about ten"},
    {.name = NULL},
};

static const struct pdk_field rlimit_rows[] = {
    {PDK_FIELD_NAME("nofile"), .type = PDK_FIELD_INT, OF(nofile), .min = 32, .max = 1048576, .words = "int 32..1048576",
     .fallback = "unchanged", .doc = "Open files"},
    {PDK_FIELD_NAME("fsize"), .type = PDK_FIELD_SIZE, OF(fsize), .min = 1, .max = INT64_MAX, .words = "size",
     .fallback = "unchanged", .doc = "Bytes of a file it writes"},
    {PDK_FIELD_NAME("memlock"), .type = PDK_FIELD_SIZE, OF(memlock), .min = 1, .max = INT64_MAX, .words = "size",
     .fallback = "unchanged", .doc = "Bytes locked into memory"},
    {PDK_FIELD_NAME("stack"), .type = PDK_FIELD_SIZE, OF(stack), .min = 1 << 16, .max = INT64_MAX, .words = "size",
     .fallback = "unchanged", .doc = "Bytes of stack"},
    {.name = NULL},
};

static const struct pdk_field ping_rows[] = {
    {PDK_FIELD_NAME("every"), .type = PDK_FIELD_DURATION, OF(ping_every), .min = 10 * PDK_MILLISECOND, .max = PDK_HOUR,
     .words = "duration 10ms..1h", .fallback = "2s", .doc = "How often its loop thread is asked whether it lives"},
    {PDK_FIELD_NAME("timeout"), .type = PDK_FIELD_DURATION, OF(ping_timeout), .min = 10 * PDK_MILLISECOND,
     .max = PDK_DAY, .words = "duration 10ms..24h", .fallback = "10s",
     .doc = "How long it may owe the answer; then the process is killed"},
    {.name = NULL},
};

const struct pdk_field pdk_isolation_rows[] = {
    {PDK_FIELD_NAME("mode"), .type = PDK_FIELD_CHOICE, .flags = PDK_FIELD_REQUIRED, OF(mode), .choices = modes,
     .words = "none, process", .fallback = "required", .doc = "Whether it has a process of its own"},
    {PDK_FIELD_NAME("resources"), .type = PDK_FIELD_OWN, .read = read_map, .fields = resource_rows,
     .words = "{cpu: number, memory: size, pids: int}", .fallback = "none",
     .doc = "Hard limits on that process and all it starts together, by a cgroup"},
    {PDK_FIELD_NAME("rlimits"), .type = PDK_FIELD_OWN, .read = read_map, .fields = rlimit_rows,
     .words = "{nofile: int, fsize: size, memlock: size, stack: size}", .fallback = "unchanged",
     .doc = "Limits of each process by itself"},
    {PDK_FIELD_NAME("user"), .type = PDK_FIELD_TEXT, OF(user), .min = 1, .max = 200, .words = "name[:group]",
     .fallback = "unchanged", .doc = "Who runs it; needs the right to change the user"},
    {PDK_FIELD_NAME("seccomp"), .type = PDK_FIELD_NAMES, OF(seccomp), .words = "list of system calls, or one",
     .fallback = "none",
     .doc = "System calls that fail with EPERM, in what it starts too; default: those that control the machine"},
    {PDK_FIELD_NAME("ping"), .type = PDK_FIELD_OWN, .read = read_map, .fields = ping_rows,
     .words = "{every: duration, timeout: duration}", .fallback = "{every: 2s, timeout: 10s}",
     .doc = "When its loop thread counts as hung"},
    {.name = NULL},
};

void pdk_read_isolation(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value, void *base) {
    struct pdk_isolation *isolation = (void *)((char *)base + row->offset);
    *isolation = (struct pdk_isolation)PDK_ISOLATION_USUAL;
    isolation->at = value;
    if (value->type == PDK_MAP)
        pdk_fields_read(reading, row->fields, value, isolation);
    else
        pdk_field_read(reading, &mode_row, value, isolation);
}

int32_t pdk_isolation_read(const pdk_value *value, struct pdk_arena *arena, struct pdk_report *report,
                           struct pdk_isolation *ret) {
    static const struct pdk_field row = {PDK_FIELD_NAME("isolation"), .fields = pdk_isolation_rows};
    struct pdk_reading reading = {.arena = arena, .report = report, .folder = "/"};
    pdk_read_isolation(&reading, &row, value, ret);
    return reading.error;
}

static void tell_rows(const struct pdk_field *rows, const char *before,
                      void (*each)(void *arg, const char *name, const struct pdk_field_doc *field), void *arg) {
    for (const struct pdk_field *row = rows; row->name; row++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s%s%s", before, *before ? "." : "", row->name);
        each(arg, name, &row->text);
        if (row->fields) tell_rows(row->fields, name, each, arg);
    }
}

void pdk_plugin_fields(void (*each)(void *arg, const char *name, const struct pdk_field_doc *field), void *arg) {
    tell_rows(pdk_plugin_rows, "", each, arg);
}

void pdk_server_fields(void (*each)(void *arg, const char *name, const struct pdk_field_doc *field), void *arg) {
    tell_rows(pdk_server_rows, "", each, arg);
}
