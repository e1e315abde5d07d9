/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an instance: made, started, stopped, gone. The plugin was checked before (check.c). */
#include "core/plugin/instance.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/text.h"
#include "core/spec/schema.h"
#include "core/spec/spec.h"
#include "core/value/value.h"
#include "host.h"
#include "labels.h"
#include "paddock/helpers.h"

static uint32_t roles_of(const pdk_plugin *plugin) {
    return (plugin->runner ? (uint32_t)PDK_ROLE_RUNNER : 0U) | (plugin->source ? (uint32_t)PDK_ROLE_SOURCE : 0U) |
           (plugin->metrics ? (uint32_t)PDK_ROLE_METRICS : 0U);
}

static int32_t check_roles(const pdk_plugin *plugin, const struct pdk_instance_options *options,
                           struct pdk_report *report) {
    uint32_t missing = options->roles & ~roles_of(plugin);
    const char *word = missing & PDK_ROLE_RUNNER ? "runner" : missing & PDK_ROLE_SOURCE ? "source" : "metrics backend";

    if (!missing) return 0;
    return pdk_value_fault(report, -EINVAL, options->at, NULL, NULL, "plugin \"%s\" is no %s", plugin->name, word);
}

/* It becomes part of run ids and of a label. */
static int32_t check_name(const char *name, const struct pdk_instance_options *options, struct pdk_report *report) {
    const char *why = "it is empty";

    if (*name && pdk_label_value_check(name, &why) == 0) return 0;
    return pdk_value_fault(report, -EINVAL, options->at, NULL, NULL, "\"%.64s\" cannot be a plugin's name here: %s",
                           name, why);
}

/* Two facts of a call into a plugin that failed: its words, or ours when it had none. */
static int32_t call_failed(int32_t rc, const char *call, pdk_error *err) {
    if (rc > 0) rc = pdk_failf(err, -EIO, NULL, "%s returned %d, which is neither 0 nor a negative errno", call, rc);
    err->message[sizeof err->message - 1] = '\0';
    err->hint[sizeof err->hint - 1] = '\0';
    if (!err->message[0]) pdk_failf(err, rc, err->at, "%s failed: %s", call, strerror(-rc));
    return rc;
}

static int32_t call_create(struct pdk_instance *instance, const struct pdk_instance_options *options,
                           struct pdk_report *report) {
    const pdk_plugin *plugin = instance->plugin;
    pdk_error err = PDK_ERROR;
    void *self = NULL;
    int32_t rc = plugin->create(&instance->host, instance->config, &self, &err);

    if (rc == 0) {
        instance->self = self;
        return 0;
    }
    rc = call_failed(rc, "create", &err);
    if (rc == -ENOMEM) return rc;
    pdk_value_fault_error(report, options->config ? options->config : options->at, plugin->name, &err);
    return rc;
}

static void release(struct pdk_instance *instance) {
    const pdk_values *v = pdk_values_get();

    v->drop(instance->labels);
    v->drop(instance->config);
    v->drop(instance->at);
    /* Not by the plugin's kinds: a table that was made for this instance may have gone with destroy. */
    for (size_t i = 0; instance->blanks && instance->blanks[i]; i++) v->drop(instance->blanks[i]);
    free(instance->blanks);
    free(instance->name);
    free(instance);
}

static int32_t make_blanks(struct pdk_instance *instance) {
    const pdk_schema *const *kinds = instance->plugin->runner->kinds;
    size_t count = 0;
    int32_t rc = 0;

    while (kinds[count]) count++;
    instance->blanks = calloc(count + 1, sizeof *instance->blanks);
    if (!instance->blanks) return -ENOMEM;
    for (size_t i = 0; i < count && rc == 0; i++) rc = pdk_task_blank(kinds[i], &instance->blanks[i]);
    return rc;
}

static int32_t prepare(struct pdk_instance *instance, const struct pdk_instance_options *options,
                       struct pdk_report *report) {
    const pdk_plugin *plugin = instance->plugin;
    int32_t rc = check_roles(plugin, options, report);

    if (rc == 0) rc = check_name(instance->name, options, report);
    if (rc == 0) rc = pdk_instance_labels(plugin->name, instance->name, options->labels, report, &instance->labels);
    if (rc == 0) rc = pdk_schema_check(plugin->config, plugin->name, options->config, report, &instance->config);
    if (rc == 0 && plugin->runner) rc = make_blanks(instance);
    if (rc < 0) return rc;
    instance->host.roles = options->roles ? options->roles : roles_of(plugin);
    pdk_host_fill(instance, options->host);
    atomic_store(&instance->health, PDK_HAS(plugin, start) ? PDK_DOWN : PDK_UP);
    return call_create(instance, options, report);
}

int32_t pdk_instance_create(const pdk_plugin *plugin, const struct pdk_instance_options *options,
                            struct pdk_report *report, struct pdk_instance **ret) {
    struct pdk_instance *instance = calloc(1, sizeof *instance);
    int32_t rc = -ENOMEM;

    if (!instance) return -ENOMEM;
    instance->plugin = plugin;
    instance->file = options->file;
    instance->at = pdk_values_get()->hold(options->at);
    instance->life = PDK_INSTANCE_MADE;
    instance->name = strdup(options->name ? options->name : plugin->name);
    if (instance->name) rc = prepare(instance, options, report);
    if (rc < 0) {
        release(instance);
        return rc;
    }
    *ret = instance;
    return 0;
}

int32_t pdk_instance_start(struct pdk_instance *instance, pdk_error *err) {
    pdk_error own = PDK_ERROR;
    int32_t rc = 0;

    if (!err) err = &own;
    if (PDK_HAS(instance->plugin, start)) rc = instance->plugin->start(instance->self, err);
    if (rc != 0) return call_failed(rc, "start", err);
    instance->life = PDK_INSTANCE_STARTED;
    return 0;
}

void pdk_instance_stop(struct pdk_instance *instance) {
    instance->life = PDK_INSTANCE_STOPPING;
    if (PDK_HAS(instance->plugin, stop))
        instance->plugin->stop(instance->self);
    else
        instance->host.stopped(&instance->host);
}

void pdk_instance_free(struct pdk_instance *instance) {
    if (!instance) return;
    instance->plugin->destroy(instance->self);
    release(instance);
}

/* Where in its list; the end of it: not there. */
static size_t kind_index(const struct pdk_instance *instance, const char *kind) {
    const pdk_schema *const *kinds = instance->plugin->runner->kinds;
    size_t i = 0;

    while (kinds[i] && strcmp(kinds[i]->name, kind) != 0) i++;
    return i;
}

const pdk_schema *pdk_instance_kind(const struct pdk_instance *instance, const char *kind) {
    if (!(instance->host.roles & PDK_ROLE_RUNNER)) return NULL;
    return instance->plugin->runner->kinds[kind_index(instance, kind)];
}

int32_t pdk_instance_complete(const struct pdk_instance *instance, struct pdk_task *task, struct pdk_report *report,
                              struct pdk_task **ret) {
    size_t i = kind_index(instance, task->plugin.kind);

    return pdk_task_complete(task, instance->plugin->runner->kinds[i], instance->blanks[i], instance->plugin->name,
                             report, ret);
}
