/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a process: ours, what the operator changes, and where it is to listen. */
#include <stdlib.h>
#include <unistd.h>

#include "drive.h"

/* What somebody told Paddock itself; it would be a lie to a child. */
static const char *const ours[] = {"NOTIFY_SOCKET", "LISTEN_PID",    "LISTEN_FDS",  "LISTEN_FDNAMES",
                                   "WATCHDOG_PID",  "WATCHDOG_USEC", "TRACEPARENT", NULL};

/* By generation: up to 0.9.8, up to 0.9.14. Later ones read --tcp-socket. */
static const char *const address_names[] = {"RRQ_EXECUTOR_TCP_SOCKET", "RRQ_RUNNER_TCP_SOCKET", NULL};

static bool is_in(const char *const *names, const char *name, size_t size) {
    for (; *names; names++)
        if (strlen(*names) == size && !memcmp(*names, name, size)) return true;
    return false;
}

static bool is_changed(const pdk_values *values, const pdk_value *env, const char *name, size_t size) {
    for (size_t i = 0; i < values->count(env); i++) {
        const char *key = values->key_at(env, i);
        if (strlen(key) == size && !memcmp(key, name, size)) return true;
    }
    return false;
}

static bool is_inherited(const pdk_host *host, const struct pdk_rrq_drive *drive, const char *entry) {
    size_t size = strcspn(entry, "=");
    return !is_in(ours, entry, size) && !is_in(address_names, entry, size) &&
           !is_changed(host->values, drive->env, entry, size);
}

static void put(char **list, size_t *count, char **text, const char *name, const char *value) {
    size_t name_size = strlen(name), size = strlen(value) + 1;
    list[(*count)++] = *text;
    memcpy(*text, name, name_size);
    (*text)[name_size] = '=';
    memcpy(*text + name_size + 1, value, size);
    *text += name_size + 1 + size;
}

/* How much it takes: entries, and bytes of those that are not inherited. */
static void measure(const pdk_host *host, const struct pdk_rrq_drive *drive, const char *address, size_t *count,
                    size_t *bytes) {
    const pdk_values *values = host->values;
    for (char **entry = environ; entry && *entry; entry++) ++*count;
    for (size_t i = 0; i < values->count(drive->env); i++, ++*count)
        *bytes += strlen(values->key_at(drive->env, i)) + values->count(values->at(drive->env, i)) + 2;
    for (size_t i = 0; address_names[i]; i++, ++*count) *bytes += strlen(address_names[i]) + strlen(address) + 2;
}

char **pdk_rrq_environment(const pdk_host *host, const struct pdk_rrq_drive *drive, const char *address) {
    const pdk_values *values = host->values;
    size_t count = 1, bytes = 0, used = 0;
    char **list, *text;
    measure(host, drive, address, &count, &bytes);
    list = malloc(count * sizeof *list + bytes);
    if (!list) return NULL;
    text = (char *)(list + count);
    for (char **entry = environ; entry && *entry; entry++)
        if (is_inherited(host, drive, *entry)) list[used++] = *entry;
    for (size_t i = 0; i < values->count(drive->env); i++) {
        const char *value = "";
        (void)pdk_text(host, values->at(drive->env, i), &value);
        put(list, &used, &text, values->key_at(drive->env, i), value);
    }
    for (size_t i = 0; drive->by_env && address_names[i]; i++) put(list, &used, &text, address_names[i], address);
    list[used] = NULL;
    return list;
}
