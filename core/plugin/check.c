/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this a plugin that we can work with? Only its tables are read, nothing in it is called. A member is read only
 * where the struct_size of its table reaches it, so a plugin that was built before the member existed is fine.
 */
#include <stdbool.h>

#include "core/base/text.h"
#include "core/plugin/instance.h"
#include "core/spec/schema.h"
#include "paddock/control.h"
#include "paddock/helpers.h"

#define ABI_MAJOR(version) ((unsigned)((version) >> 16))
#define ABI_MINOR(version) ((unsigned)((version)&0xffffU))

enum { KINDS_MAX = 1000, NEEDS_MAX = 100 };

/* Flags in the high half change what a plugin means; this host knows none of them. */
static const uint32_t flags_known = 0;
static const uint32_t flags_must_know = 0xffff0000U;

/* Where a table ended in ABI 1.0: its last member of that time. */
#define END_OF(type, member) ((uint32_t)(offsetof(type, member) + sizeof(((type *)NULL)->member)))

struct member {
    const char *name;
    size_t offset;
};
#define MEMBER(type, member) \
    { #member, offsetof(type, member) }

/* A table of functions, with those that it must have. The two words at its head are the same everywhere. */
struct table {
    const char *what;
    uint32_t size; /* in ABI 1.0 */
    struct member members[6];
};

static const struct table runner_table = {
    "its runner", END_OF(pdk_runner_ops, build_task), {MEMBER(pdk_runner_ops, build_task)}};
static const struct table task_table = {
    "its task",
    END_OF(pdk_task_ops, reload),
    {MEMBER(pdk_task_ops, start), MEMBER(pdk_task_ops, cancel), MEMBER(pdk_task_ops, destroy)}};
static const struct table source_table = {
    "its source",
    END_OF(pdk_source_ops, progress),
    {MEMBER(pdk_source_ops, settled), MEMBER(pdk_source_ops, resume), MEMBER(pdk_source_ops, drain)}};
static const struct table metrics_table = {"its metrics backend",
                                           END_OF(pdk_metrics_ops, print),
                                           {MEMBER(pdk_metrics_ops, series), MEMBER(pdk_metrics_ops, add),
                                            MEMBER(pdk_metrics_ops, set), MEMBER(pdk_metrics_ops, observe)}};
static const struct member plugin_members[] = {MEMBER(pdk_plugin, create), MEMBER(pdk_plugin, destroy), {NULL, 0}};
static const struct member plugin_texts[] = {
    MEMBER(pdk_plugin, version), MEMBER(pdk_plugin, author), MEMBER(pdk_plugin, description), {NULL, 0}};

static bool is_set(const void *table, size_t offset) {
    void (*function)(void); /* pointers to data and to functions are alike on every system with dlsym */

    memcpy(&function, (const char *)table + offset, sizeof function);
    return function != NULL;
}

static int32_t check_members(const char *what, const void *table, const struct member *members, pdk_error *err) {
    for (; members->name; members++)
        if (!is_set(table, members->offset)) return pdk_failf(err, -EINVAL, NULL, "%s has no %s", what, members->name);
    return 0;
}

static int32_t check_size(const char *what, uint32_t size, uint32_t wanted, pdk_error *err) {
    if (size >= wanted) return 0;
    return pdk_failf(err, -EINVAL, NULL, "%s is %u bytes, of ABI 1.0 it is %u", what, size, wanted);
}

static int32_t check_table(const struct table *table, const void *ops, pdk_error *err) {
    uint32_t size;
    int32_t rc;

    memcpy(&size, ops, sizeof size);
    rc = check_size(table->what, size, table->size, err);
    return rc < 0 ? rc : check_members(table->what, ops, table->members, err);
}

/* What a stranger wrote, fit for a terminal and short. */
static const char *printable(const char *text, char buf[static 72]) {
    size_t n = 0;

    for (; text[n] && n < 64; n++) buf[n] = (unsigned char)text[n] < ' ' || text[n] > '~' ? '?' : text[n];
    buf[n] = '\0';
    if (text[n]) pdk_append(buf, 72, "...");
    return buf;
}

static bool is_lower(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_kind_name(const char *text) {
    size_t n = 0;

    if (!is_word(text[0])) return false;
    while (is_word(text[n]) || text[n] == '-' || text[n] == '_' || text[n] == '.') n++;
    return text[n] == '\0' && n <= 63;
}

static int32_t check_head(const pdk_plugin *plugin, pdk_error *err) {
    unsigned major = ABI_MAJOR(plugin->abi_version);

    if (plugin->magic != PDK_MAGIC)
        return pdk_failf(err, -EINVAL, NULL, "not a plugin: its magic is 0x%08x, wanted 0x%08x", plugin->magic,
                         PDK_MAGIC);
    if (major != ABI_MAJOR(PDK_ABI)) {
        if (err) strlcpy(err->hint, "rebuild it with the headers of this host", sizeof err->hint);
        return pdk_failf(err, -EINVAL, NULL, "ABI %u.%u, this host has %u.x", major, ABI_MINOR(plugin->abi_version),
                         ABI_MAJOR(PDK_ABI));
    }
    return check_size("its entry", plugin->struct_size, END_OF(pdk_plugin, get_extension), err);
}

static int32_t check_wishes(const pdk_plugin *plugin, pdk_error *err) {
    uint32_t unknown = plugin->flags & flags_must_know & ~flags_known, wanted = plugin->min_host_abi;

    if (wanted > PDK_ABI)
        return pdk_failf(err, -EINVAL, NULL, "needs a host of ABI %u.%u or newer, this one has %u.%u",
                         ABI_MAJOR(wanted), ABI_MINOR(wanted), ABI_MAJOR(PDK_ABI), ABI_MINOR(PDK_ABI));
    if (unknown) return pdk_failf(err, -EINVAL, NULL, "flags 0x%08x mean something this host does not know", unknown);
    return 0;
}

static int32_t check_name(const pdk_plugin *plugin, pdk_error *err) {
    char text[72];

    if (!plugin->name) return pdk_fail(err, -EINVAL, NULL, "it has no name", NULL, NULL);
    if (pdk_plugin_name_check(plugin->name, NULL) < 0)
        return pdk_failf(err, -EINVAL, NULL, "\"%s\" is not a plugin's name: wanted [a-z0-9][a-z0-9-]{0,62}",
                         printable(plugin->name, text));
    return check_members("it", plugin, plugin_texts, err);
}

/* The schema's own words, with what they are about before them. */
static int32_t check_schema(const char *what, const char *name, const pdk_schema *schema, pdk_error *err) {
    pdk_error inner = PDK_ERROR;
    int32_t rc = check_size(what, schema->struct_size, END_OF(pdk_schema, params), err);

    if (rc < 0) return rc;
    rc = pdk_schema_validate(schema, &inner);
    if (rc < 0)
        return pdk_failf(err, rc, NULL, "%s%s%s%s: %s", what, *name ? " \"" : "", name, *name ? "\"" : "",
                         inner.message);
    return 0;
}

static int32_t check_kind(const pdk_schema *const *kinds, size_t i, pdk_error *err) {
    char text[72];
    int32_t rc = check_size("a kind's schema", kinds[i]->struct_size, END_OF(pdk_schema, params), err);

    if (rc < 0) return rc;
    if (!kinds[i]->name || !is_kind_name(kinds[i]->name))
        return pdk_failf(err, -EINVAL, NULL, "\"%s\" is not a kind's name: wanted [A-Za-z0-9][A-Za-z0-9._-]{0,62}",
                         printable(kinds[i]->name ? kinds[i]->name : "", text));
    for (size_t j = 0; j < i; j++)
        if (strcmp(kinds[j]->name, kinds[i]->name) == 0)
            return pdk_failf(err, -EINVAL, NULL, "its runner names kind \"%s\" twice", kinds[i]->name);
    return check_schema("kind", kinds[i]->name, kinds[i], err);
}

static int32_t check_runner(const pdk_runner_ops *runner, pdk_error *err) {
    int32_t rc = check_table(&runner_table, runner, err);

    if (rc < 0) return rc;
    if (!runner->kinds || !runner->kinds[0])
        return pdk_fail(err, -EINVAL, NULL, "its runner serves no kind", NULL, NULL);
    for (size_t i = 0; rc == 0 && runner->kinds[i]; i++) {
        if (i == KINDS_MAX) return pdk_failf(err, -EINVAL, NULL, "its runner names more than %d kinds", KINDS_MAX);
        rc = check_kind(runner->kinds, i, err);
    }
    if (rc < 0) return rc;
    if (!runner->task) return pdk_fail(err, -EINVAL, NULL, "its runner has no task", NULL, NULL);
    return check_table(&task_table, runner->task, err);
}

static int32_t check_needs(const pdk_plugin *plugin, pdk_error *err) {
    for (size_t i = 0; plugin->needs && plugin->needs[i]; i++)
        if (i == NEEDS_MAX) return pdk_failf(err, -EINVAL, NULL, "it needs more than %d services", NEEDS_MAX);
    return 0;
}

/* One that only asks, or only offers something. */
static bool needs_no_role(const pdk_plugin *plugin) {
    const char *const *need = plugin->needs;

    if (plugin->get_extension) return true;
    while (need && *need && strcmp(*need, PDK_CONTROL_1) != 0) need++;
    return need && *need;
}

static int32_t check_roles(const pdk_plugin *plugin, pdk_error *err) {
    int32_t rc = 0;

    if (!plugin->runner && !plugin->source && !plugin->metrics && !needs_no_role(plugin)) {
        if (err) strlcpy(err->hint, "a console, which plays none, says that it needs " PDK_CONTROL_1, sizeof err->hint);
        return pdk_fail(err, -EINVAL, NULL, "it plays no role: runner, source and metrics are NULL", NULL, NULL);
    }
    if (plugin->runner) rc = check_runner(plugin->runner, err);
    if (rc == 0 && plugin->source) rc = check_table(&source_table, plugin->source, err);
    if (rc == 0 && plugin->metrics) rc = check_table(&metrics_table, plugin->metrics, err);
    return rc;
}

int32_t pdk_plugin_check(const pdk_plugin *plugin, pdk_error *err) {
    int32_t rc = check_head(plugin, err);

    if (rc == 0) rc = check_wishes(plugin, err);
    if (rc == 0) rc = check_name(plugin, err);
    if (rc == 0) rc = check_needs(plugin, err);
    if (rc == 0) rc = check_members("it", plugin, plugin_members, err);
    if (rc == 0 && plugin->config) rc = check_schema("its config", "", plugin->config, err);
    return rc < 0 ? rc : check_roles(plugin, err);
}
