/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator says of an instance. */
#include <stdlib.h>

#include "drive.h"
#include "rrq.h"

static const pdk_param params[] = {
    /* of the source */
    PDK_PARAM("listen", PDK_STRING, 0, "127.0.0.1:9000", "Where orchestrators connect; on loopback"),
    PDK_PARAM("functions", PDK_MAP, 0, "{}",
              "NAME: {task or kind, input}: what a function runs; default: the task, or else the kind, of its name"),
    {"connections", PDK_INT, 0, "1024", "How many at the same time; more are closed at once", NULL, 1.0, 1e6, NULL},
    {"idle", PDK_DURATION, 0, "10m", "A connection that nothing comes through is closed then", NULL, 1.0, 31536000.0,
     NULL},
    {"slow", PDK_DURATION, 0, "30s", "How long a frame may take to come, and an answer to be read", NULL, 0.1, 3600.0,
     NULL},
    {"unsent", PDK_SIZE, 0, "32MiB", "Answers that may wait for a peer that does not read; then it is closed", NULL,
     17825792.0, 1073741824.0, NULL},
    {"memory", PDK_SIZE, 0, "256MiB", "Requests that may be here unanswered; beyond, no more are read", NULL, 1048576.0,
     1099511627776.0, NULL},
    /* of the runner */
    PDK_RRQ_DRIVE_ROWS,
    PDK_PARAM_END,
};

const pdk_schema pdk_rrq_config =
    PDK_SCHEMA("", "RRQ runners to be driven, or a port that RRQ orchestrators send their jobs to", params);

static int32_t read_config(struct pdk_rrq *self, const pdk_value *config, pdk_error *err) {
    const pdk_host *host = self->host;
    struct pdk_rrq_address address;
    int32_t rc = pdk_take_string(host, config, "listen", &self->listen, err);
    if (rc == 0) rc = pdk_take_integer(host, config, "connections", &self->connections_max, err);
    if (rc == 0) rc = pdk_take_duration(host, config, "idle", &self->idle_ns, err);
    if (rc == 0) rc = pdk_take_duration(host, config, "slow", &self->slow_ns, err);
    if (rc == 0) rc = pdk_take_size(host, config, "unsent", &self->unsent_max, err);
    if (rc == 0) rc = pdk_take_size(host, config, "memory", &self->memory_max, err);
    if (rc == 0) rc = pdk_rrq_address_parse(self->listen, &address, err);
    if (rc < 0 && !err->at) err->at = host->values->get(config, "listen");
    return rc;
}

/* One that may be both is what its config speaks of. */
static bool is_runner(const pdk_host *host, const pdk_value *config) {
    const pdk_values *values = host->values;
    bool driven = values->type(values->get(config, "command")) != PDK_NULL ||
                  values->type(values->get(config, "external")) != PDK_NULL;
    return host->roles & PDK_ROLE_RUNNER && (driven || !(host->roles & PDK_ROLE_SOURCE));
}

static int32_t create_source(struct pdk_rrq *self, const pdk_value *config, pdk_error *err) {
    static const char *const keys[] = {"command", "external"};
    const pdk_values *values = self->host->values;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (values->type(values->get(config, keys[i])) != PDK_NULL)
            return pdk_fail(err, -EINVAL, values->get(config, keys[i]), keys[i],
                            " is for RRQ runners to be driven: that is an entry of plugins, not of sources", NULL);
    int32_t rc = read_config(self, config, err);
    return rc == 0 ? pdk_rrq_functions_check(self, err) : rc;
}

int32_t pdk_rrq_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct pdk_rrq *self = calloc(1, sizeof *self);
    if (!self) return -ENOMEM;
    self->host = host;
    self->config = config;
    self->loop = host->get_extension(host, PDK_LOOP_1);
    self->source = host->get_extension(host, PDK_SOURCE_1);
    self->parses = (struct pdk_rrq_parses){.host = host, .pool = host->get_extension(host, PDK_POOL_1)};
    self->fd = -1;
    TAILQ_INIT(&self->all);
    TAILQ_INIT(&self->dirty);
    TAILQ_INIT(&self->paused);
    for (size_t i = 0; i < PDK_RRQ_LINES; i++) TAILQ_INIT(&self->lines[i]);
    int32_t rc = is_runner(host, config) ? pdk_rrq_pool_create(host, config, &self->pool, err)
                                         : create_source(self, config, err);
    if (rc < 0)
        free(self);
    else
        *ret = self;
    return rc;
}

void pdk_rrq_destroy(void *self) {
    struct pdk_rrq *rrq = self;
    pdk_rrq_pool_free(rrq->pool);
    free(rrq->read_buffer);
    free(rrq->functions.list);
    free(rrq);
}
