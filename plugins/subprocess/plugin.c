/* SPDX-License-Identifier: Apache-2.0 */
/* subprocess: runs programs and scripts as children of the host. The ABI tables; README.md has the keys. */
#include <stdlib.h>

#include "subprocess.h"

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    const pdk_values *values = host->values;
    struct pdk_sub *self = calloc(1, sizeof *self);
    int32_t rc;
    if (!self) return -ENOMEM;
    self->host = host;
    self->loop = host->get_extension(host, PDK_LOOP_1);
    self->pool = host->get_extension(host, PDK_POOL_1);
    self->process = host->get_extension(host, PDK_PROCESS_1);
    self->users = values->get(config, "users");
    LIST_INIT(&self->filters);
    rc = pdk_take_string(host, config, "runtime_dir", &self->runtime_dir, err);
    if (!rc && self->runtime_dir && self->runtime_dir[0] != '/')
        rc = pdk_fail(err, -EINVAL, values->get(config, "runtime_dir"), "an absolute path is wanted, not ",
                      self->runtime_dir, NULL);
    if (!rc) rc = pdk_sub_inherit_read(host, values->get(config, "inherit"), &self->inherit, err);
    if (rc) {
        free(self);
        return rc;
    }
    *ret = self;
    return 0;
}

static void destroy(void *data) {
    struct pdk_sub *self = data;
    pdk_sub_folder_remove(self);
    pdk_sub_filters_free(self);
    free(self);
}

static const pdk_schema *const kinds[] = {&pdk_sub_kind, NULL};
static const char *const needs[] = {PDK_LOOP_1, PDK_POOL_1, PDK_PROCESS_1, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &pdk_sub_task_ops, NULL, pdk_sub_build};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    "subprocess",
    "0.1.0",
    "",
    "Runs programs and scripts",
    needs,
    &pdk_sub_config,
    &runner,
    NULL,
    NULL,
    create,
    NULL,
    NULL,
    destroy,
    NULL,
};
