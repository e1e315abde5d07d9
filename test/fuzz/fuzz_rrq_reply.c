/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a runner answers to two requests: each attempt ends once, whatever comes, and nothing is left. The
 * first byte says in pieces of what size they come. */
#include <string.h>
#include <unistd.h>

#include "core/value/value.h"
#include "fake.h"
#include "fuzz.h"

static const pdk_value *json(const char *text) {
    const pdk_value *value = NULL;
    const pdk_values *values = pdk_values_get();
    MUST(values->parse(values, text, strlen(text), "fuzz", &value, NULL) == 0);
    return value;
}

static struct pdk_rrq_job *begin(struct pdk_rrq_pool *pool, const pdk_spec *spec, const char *id) {
    pdk_error err = PDK_ERROR;
    pdk_start start = {.struct_size = sizeof start, .number = 1, .attempt = 1, .run_id = id, .trace = ""};
    void *task = NULL;
    MUST(pdk_rrq_build(pool, spec, &task, &err) == 0);
    struct pdk_rrq_job *job = task;
    MUST(pdk_rrq_task_ops.start(job, &start, &err) == 0);
    (void)snprintf(job->id, sizeof job->id, "%s", id); /* not one that nobody can guess */
    return job;
}

static void feed(struct fake *fake, int peer, const uint8_t *data, size_t size) {
    size_t piece = size ? data[0] + 1U : 1;
    for (size_t at = 1; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        if (send(peer, data + at, n, MSG_NOSIGNAL) != (ssize_t)n) break;
        fake_settle(fake);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fake fake;
    uint32_t port;
    char config[128];
    struct pdk_rrq_pool *pool = NULL;
    pdk_error err = PDK_ERROR;
    fake_init(&fake);
    int listener = fake_listen(&port);
    (void)snprintf(config, sizeof config, "{\"external\":\"127.0.0.1:%u\",\"max_in_flight\":2}", port);
    const pdk_value *given = json(config), *with = json("{\"function\":\"f\"}");
    pdk_spec spec = {.struct_size = sizeof spec, .kind = "rrq", .name = "t", .slot = "t", .with = with};
    MUST(pdk_rrq_pool_create(&fake.host, given, &pool, &err) == 0 && pdk_rrq_pool_start(pool, &err) == 0);
    fake_settle(&fake);
    int peer = fake_accept(listener);
    struct pdk_rrq_job *first = begin(pool, &spec, "a"), *second = begin(pool, &spec, "b");
    fake_settle(&fake);
    MUST(peer >= 0 && fake.done == 0);
    feed(&fake, peer, data, size);
    MUST(fake.done <= 2);
    close(peer);
    close(listener);
    fake_settle(&fake);
    MUST(fake.done == 2 && fake.status >= PDK_SUCCESS && fake.status <= PDK_RETRY);
    pdk_rrq_task_ops.destroy(first);
    pdk_rrq_task_ops.destroy(second);
    pdk_rrq_pool_stop(pool, fake_stopped, &fake);
    fake_settle(&fake);
    MUST(fake.stopped && fake_left(&fake) == 0);
    pdk_rrq_pool_free(pool);
    pdk_values_get()->drop(given);
    pdk_values_get()->drop(with);
    return 0;
}
