/* SPDX-License-Identifier: Apache-2.0 */
/* A source of the simulation: what it hands over, when it is told to wait, and when to go on. */
#include "sim.h"
#include "support/fail_alloc.h"

#define LIMITS(...)                                                \
    &(pdk_supervisor_options) {                                    \
        .struct_size = sizeof(pdk_supervisor_options), __VA_ARGS__ \
    }

struct source {
    const pdk_host *host;
    const pdk_source *service;
    uint32_t settled, resumed, drained, flushed, progressed, room_at_resume;
    int32_t end;
    const pdk_template *base;
};
static struct source *the_source;

static int32_t source_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    the_source->host = host;
    the_source->service = host->get_extension(host, PDK_SOURCE_1);
    assert_non_null(the_source->service);
    assert_null(host->get_extension(host, PDK_CONTROL_1)); /* nobody allowed it */
    *ret = the_source;
    return 0;
}
static void source_destroy(void *self) {
    (void)self;
}
static void source_settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    struct source *source = self;
    (void)delivery;
    source->settled++;
    source->end = outcome->end;
}
static void source_resume(void *self) {
    struct source *source = self;
    source->resumed++;
    source->room_at_resume = source->service->room(source->service);
}
static void source_drain(void *self) {
    ((struct source *)self)->drained++;
}
static void source_flush(void *self) {
    ((struct source *)self)->flushed++;
}
static void source_progress(void *self, pdk_delivery delivery, const pdk_progress *progress) {
    (void)delivery, (void)progress;
    ((struct source *)self)->progressed++;
}
static const pdk_source_ops source_ops = {
    sizeof source_ops, 0, source_settled, source_resume, source_drain, source_flush, source_progress};
static const pdk_plugin source_plugin = {PDK_PLUGIN_HEAD, "src", "1",           "",   "",   NULL,           NULL, NULL,
                                         &source_ops,     NULL,  source_create, NULL, NULL, source_destroy, NULL};

static struct sim *with_source(const pdk_supervisor_options *options, struct source *source, uint32_t pending) {
    struct sim *sim = sim_with(options);
    pdk_error err = PDK_ERROR;
    the_source = source;
    assert_int_equal(pdk_supervisor_limit(sim->s, "src", &(struct pdk_instance_limits){.pending = pending}), 0);
    if (pdk_supervisor_add(sim->s, &source_plugin, NULL, &err) < 0) fail_msg("%s", err.message);
    sim_turn(sim);
    return sim;
}

static int32_t deliver(struct source *source, const char *json, pdk_run *run) {
    const pdk_value *spec = NULL;
    char text[512];
    pdk_error err = PDK_ERROR;
    (void)strlcpy(text, json, sizeof text);
    for (char *at = text; *at; at++) *at = *at == '\'' ? '"' : *at;
    assert_int_equal(pdk_values_get()->parse(pdk_values_get(), text, strlen(text), "test", &spec, NULL), 0);
    pdk_submission submission = {.struct_size = sizeof submission, .delivery = 42, .spec = spec};
    int32_t rc = source->service->submit(source->service, &submission, run, &err);
    pdk_values_get()->drop(spec);
    if (rc < 0) assert_true(err.message[0]);
    return rc;
}

#define ONE "{'name':'n1','kind':'fake','with':{'script':'S:5s'}}"
#define TWO "{'name':'n2','kind':'fake','with':{'script':'S:9s'}}"
#define TRI "{'name':'n3','kind':'fake','with':{'script':'S:9s'}}"

static void busy_and_resume(void **state) {
    struct source source = {0};
    struct sim *sim = with_source(LIMITS(.accepted = 2), &source, 0);
    pdk_run run;
    (void)state;
    assert_int_equal(source.service->room(source.service), 2);
    assert_int_equal(deliver(&source, ONE, &run), 0);
    assert_int_equal(deliver(&source, TWO, &run), 0);
    uint64_t seq = sim->s->next_seq;
    assert_int_equal(deliver(&source, TRI, &run), -EAGAIN);
    assert_int_equal(sim->s->next_seq, seq);
    sim_advance(sim, 4 * S);
    assert_int_equal(source.resumed, 0);
    sim_advance(sim, 2 * S);
    assert_int_equal(source.settled, 1);
    assert_int_equal(source.resumed, 1);
    assert_int_equal(source.room_at_resume, 1);
    assert_int_equal(deliver(&source, "{'name':'n4','kind':'nope'}", &run), -EINVAL);
    sim_advance(sim, 5 * S);
    assert_int_equal(source.settled, 2);
    assert_int_equal(source.resumed, 1);
    assert_int_equal(source.flushed, 2);
    assert_true(source.progressed >= 2);
    sim_end(sim);
}

static void source_room_is_its_own(void **state) {
    struct source source = {0};
    struct sim *sim = with_source(LIMITS(.accepted = 100), &source, 1);
    pdk_run run;
    (void)state;
    assert_int_equal(deliver(&source, ONE, &run), 0);
    assert_int_equal(deliver(&source, TWO, &run), -EAGAIN);
    (void)sim_submit(sim, "mine", ""); /* others have room */
    assert_int_equal(source.service->cancel(source.service, run), 0);
    sim_advance(sim, 0);
    assert_int_equal(source.settled, 1);
    assert_int_equal(source.end, PDK_END_CANCELED);
    assert_int_equal(source.resumed, 1);
    assert_int_equal(source.service->cancel(source.service, run), -ESTALE);
    sim_end(sim);
}

/* Nothing runs whose end could make it go on: it is asked again after a moment. */
static void no_memory_resumes_by_itself(void **state) {
    struct source source = {0};
    struct sim *sim = with_source(NULL, &source, 0);
    const pdk_value *spec = NULL;
    static const char text[] = "{\"name\":\"n\",\"kind\":\"fake\",\"with\":{\"script\":\"S\"}}";
    (void)state;
    assert_int_equal(pdk_values_get()->parse(pdk_values_get(), text, strlen(text), "t", &spec, NULL), 0);
    const pdk_submission given = {.struct_size = sizeof given, .delivery = 1, .spec = spec};
    int32_t rc = -EAGAIN;
    for (uint32_t failed = 0; rc < 0; failed++) {
        pdk_fail_at((long)failed + 1);
        rc = source.service->submit(source.service, &given, NULL, NULL);
        pdk_fail_at(0);
        if (rc == 0) assert_true(failed > 3);
        if (rc < 0) assert_int_equal(rc, -EAGAIN);
        sim_turn(sim);
        assert_int_equal(source.resumed, failed);
        sim_advance(sim, 100 * MS);
        assert_int_equal(source.resumed, failed + (rc < 0));
    }
    pdk_values_get()->drop(spec);
    assert_int_equal(source.settled, 1);
    sim_end(sim);
}

static void template_submits(void **state) {
    struct source source = {0};
    struct sim *sim = with_source(NULL, &source, 0);
    const pdk_value *spec = NULL, *with = NULL;
    const pdk_template *base = NULL;
    const pdk_values *v = pdk_values_get();
    const char text[] = "{\"name\":\"n\",\"kind\":\"fake\",\"with\":{\"script\":\"S:1s\"}}";
    const char other[] = "{\"script\":\"F:1s\"}";
    pdk_run a, b, c;
    (void)state;
    assert_int_equal(v->parse(v, text, strlen(text), "t", &spec, NULL), 0);
    assert_int_equal(v->parse(v, other, strlen(other), "t", &with, NULL), 0);
    assert_int_equal(source.service->prepare(source.service, spec, &base, NULL), 0);
    v->drop(spec);
    pdk_submission given = {.struct_size = sizeof given, .delivery = 1, .base = base};
    assert_int_equal(source.service->submit(source.service, &given, &a, NULL), 0);
    given.slot = "other";
    given.name = "m";
    assert_int_equal(source.service->submit(source.service, &given, &b, NULL), 0);
    given.slot = "third";
    given.with = with;
    assert_int_equal(source.service->submit(source.service, &given, &c, NULL), 0);
    given.slot = "not a slot";
    assert_int_equal(source.service->submit(source.service, &given, NULL, NULL), -EINVAL);
    v->drop(with);
    source.service->release(source.service, base); /* those accepted do not mind */
    sim_turn(sim);
    assert_string_equal(sim_run(sim, a)->run_id, "fake-n-1");
    assert_string_equal(sim_run(sim, b)->run_id, "fake-other-2");
    assert_string_equal(sim_task(sim, "m")->slot, "third");
    sim_advance(sim, 2 * S);
    assert_int_equal(source.settled, 3);
    assert_int_equal(source.end, PDK_END_FAILED);
    sim_end(sim);
}

static void source_gone(void **state) {
    struct source source = {0};
    struct sim *sim = with_source(NULL, &source, 0);
    pdk_run run[2];
    (void)state;
    assert_int_equal(deliver(&source, ONE, &run[0]), 0);
    assert_int_equal(deliver(&source, "{'name':'n2','kind':'fake','with':{'script':'-'}}", &run[1]), 0);
    sim_turn(sim);
    /* one ends in the same turn: it is in the outbox when the process has died */
    pdk_supervisor_instance_gone(sim->s, sim_instance(sim, "src"), NULL);
    (void)sim_done(sim_task(sim, "n2"), PDK_SUCCESS);
    sim_turn(sim);
    sim_advance(sim, MINUTE);
    assert_int_equal(source.settled, 0);
    for (int i = 0; i < 2; i++) assert_int_equal(sim_run(sim, run[i])->end, PDK_END_SUCCEEDED);
    assert_int_equal(sim->s->accepted, 0);
    sim_end(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(busy_and_resume),
        cmocka_unit_test(source_room_is_its_own),
        cmocka_unit_test(no_memory_resumes_by_itself),
        cmocka_unit_test(template_submits),
        cmocka_unit_test(source_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
