/* SPDX-License-Identifier: Apache-2.0 */
/* Traces and spans: what backends are told, what attempts hand on, and that nothing is made when nobody wants it. */
#include "sim.h"

#define TRACE_ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN_ID  "00f067aa0ba902b7"
#define CAME     "00-" TRACE_ID "-" SPAN_ID "-01"

enum { SPANS_MAX = 3000 };

/* A span as it was told, in text. */
struct seen {
    char name[32], trace[33], span[17], parent[17], message[200], state[64];
    char attributes[1400]; /* " paddock.task=x paddock.attempt=1" */
    char moments[1200];    /* "queued paddock.attempt=1; " */
    pdk_span raw;
};

struct backend {
    struct seen spans[SPANS_MAX];
    uint32_t count, asked;
    int32_t answer, parent; /* of sample; parent: what it was told last */
};
static struct backend backends[2];
static uint32_t made;

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)host, (void)config, (void)err;
    struct backend *backend = &backends[made++];
    memset(backend, 0, sizeof *backend); /* too large to go over the stack */
    backend->answer = 1;
    backend->parent = 99;
    *ret = backend;
    return 0;
}
static void destroy(void *self) {
    (void)self;
}
static pdk_series *series(void *self, const pdk_metric *metric, const char *const *values) {
    (void)self, (void)metric, (void)values;
    return NULL;
}
static void record(void *self, pdk_series *series, double n) {
    (void)self, (void)series, (void)n;
}

static void print(const pdk_attribute *list, uint32_t count, char *buf, size_t size) {
    for (uint32_t i = 0; i < count; i++) {
        char text[400];
        if (list[i].type == PDK_STRING)
            (void)snprintf(text, sizeof text, " %s=%s", list[i].key, list[i].string);
        else if (list[i].type == PDK_NUMBER)
            (void)snprintf(text, sizeof text, " %s=%g", list[i].key, list[i].number);
        else
            (void)snprintf(text, sizeof text, " %s=%lld", list[i].key, (long long)list[i].integer);
        assert_true(strlcat(buf, text, size) < size);
        for (uint32_t k = 0; k < i; k++) assert_string_not_equal(list[k].key, list[i].key);
    }
}

static void span(void *self, const pdk_span *over) {
    struct backend *backend = self;
    struct seen *seen = &backend->spans[backend->count++];
    assert_true(backend->count <= SPANS_MAX);
    assert_int_equal(over->struct_size, sizeof *over);
    assert_true(over->end_ns >= over->start_ns);
    *seen = (struct seen){.raw = *over};
    (void)strlcpy(seen->name, over->name, sizeof seen->name);
    (void)strlcpy(seen->message, over->message, sizeof seen->message);
    (void)strlcpy(seen->state, over->trace_state, sizeof seen->state);
    pdk_hex(over->trace_id, sizeof over->trace_id, seen->trace);
    pdk_hex(over->span_id, sizeof over->span_id, seen->span);
    pdk_hex(over->parent_id, sizeof over->parent_id, seen->parent);
    print(over->attributes, over->attribute_count, seen->attributes, sizeof seen->attributes);
    for (uint32_t i = 0; i < over->moment_count; i++) {
        (void)strlcat(seen->moments, over->moments[i].name, sizeof seen->moments);
        print(over->moments[i].attributes, over->moments[i].attribute_count, seen->moments, sizeof seen->moments);
        (void)strlcat(seen->moments, "; ", sizeof seen->moments);
    }
}

static int32_t sample(void *self, const uint8_t *trace_id, int32_t parent) {
    struct backend *backend = self;
    assert_non_null(trace_id);
    backend->asked++;
    backend->parent = parent;
    return backend->answer;
}

static const pdk_metrics_ops ops = {sizeof ops, 0, series, record, record, record, NULL, span, sample};
static const pdk_metrics_ops plain = {sizeof plain, 0, series, record, record, record, NULL, span, NULL};
/* As it was made before there were spans. */
static const pdk_metrics_ops older = {
    offsetof(pdk_metrics_ops, span), 0, series, record, record, record, NULL, span, sample};
#define PLUGIN(table) \
    { PDK_PLUGIN_HEAD, "spans", "1", "", "", NULL, NULL, NULL, NULL, &(table), create, NULL, NULL, destroy, NULL }
static const pdk_plugin with_sample = PLUGIN(ops), without = PLUGIN(plain), old = PLUGIN(older);

static char handed_on[64], handed_state[64];
static void on_start(struct sim *sim, struct sim_task *task, const pdk_start *start) {
    (void)sim, (void)task;
    assert_non_null(start->trace_state);
    (void)strlcpy(handed_on, start->trace, sizeof handed_on);
    (void)strlcpy(handed_state, start->trace_state, sizeof handed_state);
}

static void add(struct sim *sim, const pdk_plugin *plugin) {
    char name[16];
    pdk_router_entry entry = {.struct_size = (uint32_t)sizeof entry, .name = name};
    pdk_error err = PDK_ERROR;
    (void)snprintf(name, sizeof name, "b%u", made);
    if (pdk_supervisor_add(sim->s, plugin, &entry, &err) < 0) fail_msg("%s", err.message);
}

static struct sim *begin(const pdk_plugin *plugin) {
    struct sim *sim = sim_new();
    made = 0;
    if (plugin) add(sim, plugin);
    sim->on_start = on_start;
    return sim;
}

static const struct seen *nth(const char *name, uint32_t n) {
    for (uint32_t i = 0; i < backends[0].count; i++) {
        if (!strcmp(backends[0].spans[i].name, name) && n-- == 0) return &backends[0].spans[i];
    }
    fail_msg("there is no such %s", name);
    return NULL;
}

static bool is_said(const struct seen *seen, const char *attribute) {
    char text[1500];
    (void)snprintf(text, sizeof text, "%s ", seen->attributes);
    return strstr(text, attribute);
}
static void says(const struct seen *seen, const char *attribute) {
    if (!is_said(seen, attribute)) fail_msg("%s:%s: no%s", seen->name, seen->attributes, attribute);
}
static void says_not(const struct seen *seen, const char *attribute) {
    if (is_said(seen, attribute)) fail_msg("%s:%s: there is%s", seen->name, seen->attributes, attribute);
}

static void a_run_and_its_attempt(void **state) {
    struct sim *sim = begin(&with_sample);
    char header[64];
    (void)state;
    pdk_run id = sim_submit(sim, "ok", "'slot':'s','with':{'script':'S:3s'}");
    sim_advance(sim, 5 * S);
    sim_expect(sim, id, PDK_END_SUCCEEDED, NULL);
    assert_int_equal(backends[0].count, 2);
    assert_int_equal(backends[0].asked, 1);
    assert_int_equal(backends[0].parent, -1);
    const struct seen *run = nth("paddock.run", 0), *attempt = nth("paddock.attempt", 0);
    assert_string_equal(run->attributes, " paddock.run_id=fake-s-1 paddock.task=ok paddock.kind=fake paddock.slot=s"
                                         " paddock.runner=fake paddock.outcome=succeeded paddock.attempts=1");
    assert_string_equal(attempt->attributes, " paddock.run_id=fake-s-1 paddock.task=ok paddock.kind=fake paddock.slot=s"
                                             " paddock.runner=fake paddock.attempt=1");
    assert_string_equal(run->parent, "0000000000000000");
    assert_string_equal(attempt->parent, run->span);
    assert_string_equal(attempt->trace, run->trace);
    assert_string_not_equal(attempt->span, run->span);
    assert_int_equal(attempt->raw.parent_is_ours, 1);
    assert_int_equal(run->raw.parent_is_ours, 0);
    assert_int_equal(run->raw.kind, PDK_SPAN_INTERNAL);
    assert_int_equal(run->raw.status, PDK_SPAN_UNSET);
    assert_int_equal(run->raw.flags, 1);
    assert_int_equal(attempt->raw.end_ns - attempt->raw.start_ns, 3 * S);
    assert_int_equal(run->raw.end_ns - run->raw.start_ns, 3 * S);
    (void)snprintf(header, sizeof header, "00-%s-%s-01", attempt->trace, attempt->span);
    assert_string_equal(handed_on, header);
    (void)snprintf(header, sizeof header, "00-%s-%s-01", run->trace, run->span);
    assert_string_equal(sim_outcome(sim, id)->trace, header);
    sim_end(sim);
}

static void retries(void **state) {
    struct sim *sim = begin(&with_sample);
    (void)state;
    (void)sim_submit(sim, "twice", "'retries':2,'backoff':{'first':'1s','jitter':'none'},'with':{'script':'F E5 S'}");
    sim_advance(sim, MINUTE);
    assert_int_equal(backends[0].count, 4);
    const struct seen *run = nth("paddock.run", 0), *first = nth("paddock.attempt", 0);
    says(first, " paddock.attempt=1 ");
    says(first, " error.type=exit ");
    assert_string_equal(first->message, "exit code 1");
    assert_int_equal(first->raw.status, PDK_SPAN_ERROR);
    says(nth("paddock.attempt", 1), " paddock.attempt=2 "); /* one that could not start is one, too */
    says(nth("paddock.attempt", 1), " error.type=other ");
    says(nth("paddock.attempt", 2), " paddock.attempt=3 ");
    for (uint32_t i = 0; i < 3; i++) {
        assert_string_equal(nth("paddock.attempt", i)->parent, run->span);
        for (uint32_t k = 0; k < i; k++)
            assert_string_not_equal(nth("paddock.attempt", i)->span, nth("paddock.attempt", k)->span);
    }
    says(run, " paddock.attempts=3 ");
    assert_string_equal(run->moments, "backoff paddock.attempt=1 paddock.delay_seconds=1; "
                                      "backoff paddock.attempt=2 paddock.delay_seconds=2; ");
    assert_int_equal(run->raw.status, PDK_SPAN_UNSET);
    sim_end(sim);
}

/* How each of them ends, as both spans say it. */
static void ends(void **state) {
    struct sim *sim = begin(&with_sample);
    (void)state;
    (void)sim_submit(sim, "late", "'timeout':'2s'");
    (void)sim_submit(sim, "bad", "'with':{'script':'X'}");
    (void)sim_submit(sim, "dropped", "'slot':'late'");
    pdk_run canceled = sim_submit(sim, "asked", "");
    (void)sim->control->cancel(sim->control, canceled, NULL);
    pdk_run queued = sim_submit(sim, "queued", "'slot':'late','when_busy':'queue','with':{'script':'S'}");
    (void)queued;
    sim_advance(sim, MINUTE);
    static const struct {
        const char *task, *run, *type;
        int32_t status;
    } expected[] = {
        {" paddock.task=dropped ", " paddock.outcome=rejected ", " error.type=slot_busy ", PDK_SPAN_ERROR},
        {" paddock.task=bad ", " paddock.outcome=fatal ", " error.type=exit ", PDK_SPAN_ERROR},
        {" paddock.task=asked ", " paddock.outcome=canceled ", "", PDK_SPAN_UNSET},
        {" paddock.task=late ", " paddock.outcome=timed_out ", " error.type=timed_out ", PDK_SPAN_ERROR},
        {" paddock.task=queued ", " paddock.outcome=succeeded ", "", PDK_SPAN_UNSET},
    };
    for (uint32_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct seen *run = NULL;
        uint32_t attempts = 0;
        for (uint32_t k = 0; k < backends[0].count; k++) {
            const struct seen *seen = &backends[0].spans[k];
            if (!strstr(seen->attributes, expected[i].task)) continue;
            attempts += !strcmp(seen->name, "paddock.attempt");
            if (!strcmp(seen->name, "paddock.run")) run = seen;
            assert_int_equal(seen->raw.status, expected[i].status);
            says(seen, expected[i].type);
        }
        assert_non_null(run);
        says(run, expected[i].run);
        assert_int_equal(attempts, i == 0 ? 0 : 1);
        if (i == 0) assert_string_equal(run->message, "late-1 has the slot");
        if (i == 4) assert_string_equal(run->moments, "queued; ");
        if (i == 2) assert_null(strstr(run->attributes, "error.type"));
    }
    sim_end(sim);
}

static void lost(void **state) {
    struct sim *sim = begin(&with_sample);
    (void)state;
    pdk_run run = sim_submit(sim, "deaf", "'with':{'on_cancel':'deaf'}");
    (void)sim->control->cancel(sim->control, run, NULL);
    sim_advance(sim, MINUTE);
    sim_expect(sim, run, PDK_END_LOST, NULL);
    assert_int_equal(backends[0].count, 2);
    says(nth("paddock.attempt", 0), " error.type=lost ");
    says(nth("paddock.run", 0), " error.type=lost ");
    assert_string_equal(nth("paddock.attempt", 0)->message, "it does not stop, even when killed");
    (void)sim_done(sim_task(sim, "deaf"), PDK_SUCCESS);
    sim_turn(sim);
    assert_int_equal(backends[0].count, 2); /* that it stops after all is told to nobody twice */
    sim_end(sim);
}

static void one_that_came(void **state) {
    struct sim *sim = begin(&with_sample);
    (void)state;
    sim->trace = CAME;
    sim->trace_state = "rojo=1";
    (void)sim_submit(sim, "ok", "'with':{'script':'S'}");
    sim_advance(sim, S);
    const struct seen *run = nth("paddock.run", 0), *attempt = nth("paddock.attempt", 0);
    assert_string_equal(run->trace, TRACE_ID);
    assert_string_equal(run->parent, SPAN_ID);
    assert_string_equal(attempt->trace, TRACE_ID);
    assert_string_equal(attempt->parent, run->span);
    assert_string_equal(run->state, "rojo=1");
    assert_string_equal(handed_state, "rojo=1");
    assert_int_equal(strncmp(handed_on, "00-" TRACE_ID "-", 36), 0);
    assert_int_equal(strncmp(handed_on + 36, attempt->span, 16), 0);
    assert_int_equal(backends[0].parent, 1);
    sim->trace = "00-" TRACE_ID "-" SPAN_ID "-00";
    (void)sim_submit(sim, "not", "'with':{'script':'S'}");
    assert_int_equal(backends[0].parent, 0);
    sim_end(sim);
}

/* W3C: one that is none is as if none had come, and what came beside it with it. */
static void a_bad_one(void **state) {
    struct sim *sim = begin(&with_sample);
    (void)state;
    sim->trace = "00-" TRACE_ID "-" SPAN_ID "-1";
    sim->trace_state = "rojo=1";
    (void)sim_submit(sim, "ok", "'with':{'script':'S'}");
    sim_advance(sim, S);
    assert_string_equal(sim->last_log, "supervisor: it came with a traceparent that is none, which is ignored");
    assert_int_equal(backends[0].count, 2);
    assert_string_not_equal(nth("paddock.run", 0)->trace, TRACE_ID);
    assert_string_equal(nth("paddock.run", 0)->parent, "0000000000000000");
    assert_string_equal(handed_state, "");
    sim_end(sim);
}

/* The trace goes on, unsampled, so that those behind us do not begin one of their own. */
static void not_sampled(void **state) {
    struct sim *sim = begin(&with_sample);
    (void)state;
    backends[0].answer = 0;
    (void)sim_submit(sim, "ok", "'with':{'script':'S'}");
    sim_advance(sim, S);
    assert_int_equal(backends[0].count, 0);
    assert_int_equal(strlen(handed_on), 55);
    assert_string_equal(handed_on + 52, "-00");
    backends[0].answer = -ENOTSUP; /* it takes none: as without a backend */
    (void)sim_submit(sim, "none", "'with':{'script':'S'}");
    sim_advance(sim, S);
    assert_string_equal(handed_on, "");
    sim->trace = CAME;
    (void)sim_submit(sim, "came", "'with':{'script':'S'}");
    sim_advance(sim, S);
    assert_string_equal(handed_on, CAME);
    assert_int_equal(backends[0].count, 0);
    sim_end(sim);
}

static void without_a_say(void **state) {
    struct sim *sim = begin(&without);
    (void)state;
    (void)sim_submit(sim, "new", "'with':{'script':'S'}");
    sim->trace = CAME;
    (void)sim_submit(sim, "sampled", "'with':{'script':'S'}");
    sim_advance(sim, S);
    assert_int_equal(backends[0].count, 4);
    sim->trace = "00-" TRACE_ID "-" SPAN_ID "-00";
    (void)sim_submit(sim, "not", "'with':{'script':'S'}");
    sim_advance(sim, S);
    assert_int_equal(backends[0].count, 4);
    sim_end(sim);
}

/* Each gets what it wants; what one wants is sampled. */
static void two_backends(void **state) {
    struct sim *sim = begin(&with_sample);
    (void)state;
    add(sim, &with_sample);
    backends[0].answer = 0;
    (void)sim_submit(sim, "ok", "'with':{'script':'S'}");
    sim_advance(sim, S);
    assert_int_equal(backends[0].count, 0);
    assert_int_equal(backends[1].count, 2);
    assert_string_equal(handed_on + 52, "-01");
    sim_end(sim);
}

static void with_nobody(const pdk_plugin *plugin) {
    static const char *const later = "cc-" TRACE_ID "-" SPAN_ID "-01-what";
    struct sim *sim = begin(plugin);
    (void)sim_submit(sim, "plain", "'with':{'script':'S'}");
    sim_advance(sim, S);
    assert_string_equal(handed_on, "");
    assert_int_equal(sim->s->ids_made, 0);
    sim->trace = later;
    sim->trace_state = "rojo=1";
    pdk_run run = sim_submit(sim, "came", "'with':{'script':'S'}");
    sim_advance(sim, S);
    assert_string_equal(handed_on, later); /* as it is */
    assert_string_equal(handed_state, "rojo=1");
    assert_string_equal(sim_outcome(sim, run)->trace, later);
    sim->trace = "rubbish";
    run = sim_submit(sim, "bad", "'with':{'script':'S'}");
    sim_advance(sim, S);
    assert_string_equal(handed_on, "");
    assert_string_equal(handed_state, "");
    assert_string_equal(sim_outcome(sim, run)->trace, "");
    assert_int_equal(sim->s->ids_made, 0);
    sim_end(sim);
}

static void nobody_wants_it(void **state) {
    (void)state;
    with_nobody(NULL);
    with_nobody(&old);
}

static void in_events(void **state) {
    struct sim *sim = begin(&with_sample);
    uint32_t of_attempt = 0, of_run = 0;
    (void)state;
    sim_listen(sim);
    (void)sim_submit(sim, "ok", "'with':{'script':'S'}");
    sim_advance(sim, S);
    for (uint32_t i = 0; i < sim->event_count; i++) {
        const struct sim_event *event = &sim->events[i];
        if (!event->event.run) continue;
        assert_string_equal(event->trace_id, nth("paddock.run", 0)->trace);
        of_run += !strcmp(event->span_id, nth("paddock.run", 0)->span);
        of_attempt += !strcmp(event->span_id, nth("paddock.attempt", 0)->span);
    }
    assert_int_equal(of_run, 2);     /* ACCEPTED OUTCOME */
    assert_int_equal(of_attempt, 2); /* STARTED ENDED */
    sim_end(sim);
}

static void many_ids(char (*ids)[17], uint64_t seed) {
    struct sim *sim = sim_with(&(pdk_supervisor_options){.struct_size = sizeof(pdk_supervisor_options), .seed = seed});
    made = 0;
    add(sim, &with_sample);
    sim->check_every = 1000;
    for (int i = 0; i < 1000; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "t%d", i);
        (void)sim_submit(sim, name, "'with':{'script':'S'}");
        sim_advance(sim, MS);
    }
    assert_int_equal(backends[0].count, 2000);
    for (int i = 0; i < 2000; i++) memcpy(ids[i], backends[0].spans[i].span, 17);
    sim_end(sim);
}

static int compare(const void *a, const void *b) {
    return strcmp(a, b);
}

static void ids(void **state) {
    static char first[4000][17], again[2000][17];
    (void)state;
    many_ids(first, 7);
    many_ids(again, 7);
    assert_memory_equal(first, again, sizeof again);
    many_ids(&first[2000], 8);
    qsort(first, 4000, sizeof *first, compare);
    for (int i = 1; i < 4000; i++) assert_string_not_equal(first[i - 1], first[i]);
}

/* A service that always fails keeps its first pauses, and counts the others. */
static void moments_are_bounded(void **state) {
    struct sim *sim = begin(&with_sample);
    (void)state;
    (void)sim_submit(sim, "bad", "'retries':40,'backoff':{'first':'1s','factor':1},'with':{'script':'F'}");
    sim_advance(sim, HOUR);
    const struct seen *run = nth("paddock.run", 0);
    assert_int_equal(run->raw.moment_count, PDK_MOMENTS);
    assert_int_equal(run->raw.moments_lost, 40 - PDK_MOMENTS);
    assert_int_equal(backends[0].count, 42);
    sim_end(sim);
}

static void process_id(void **state) {
    struct sim *sim = begin(&with_sample);
    (void)state;
    (void)sim_submit(sim, "ok", "");
    const struct sim_task *task = sim_task(sim, "ok");
    pdk_attempt attempt = task->attempt;
    pdk_trace_process(sim->s, attempt, 1234);
    pdk_trace_process(sim->s, attempt, 77); /* what stops it */
    pdk_trace_process(sim->s, attempt + (UINT64_C(1) << PDK_INDEX_BITS), 78);
    pdk_trace_process(sim->s, ~UINT64_C(0), 79);
    (void)sim_done(sim_task(sim, "ok"), PDK_SUCCESS);
    sim_turn(sim);
    pdk_trace_process(sim->s, attempt, 80); /* late */
    says(nth("paddock.attempt", 0), " process.pid=1234 process.exit.code=0 ");
    sim_end(sim);
}

/* ---- a source that brings one thing */
static const pdk_source *service;
static char answered[64];

static int32_t source_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    service = host->get_extension(host, PDK_SOURCE_1);
    *ret = &service;
    return 0;
}
static void source_settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    (void)self, (void)delivery;
    (void)strlcpy(answered, outcome->trace, sizeof answered);
}
static const pdk_source_ops source_ops = {sizeof source_ops, 0, source_settled, destroy, destroy, NULL, NULL};
static const pdk_plugin source = {PDK_PLUGIN_HEAD, "src", "1",           "",   "",   NULL,    NULL, NULL,
                                  &source_ops,     NULL,  source_create, NULL, NULL, destroy, NULL};

static void from_a_source(void **state) {
    static const char json[] = "{\"name\":\"n\",\"kind\":\"fake\",\"with\":{\"script\":\"S\"}}";
    struct sim *sim = begin(&with_sample);
    const pdk_value *spec = NULL;
    (void)state;
    add(sim, &source);
    assert_int_equal(pdk_values_get()->parse(pdk_values_get(), json, strlen(json), "test", &spec, NULL), 0);
    pdk_submission given = {
        .struct_size = sizeof given, .delivery = 42, .spec = spec, .trace = CAME, .trace_state = "rojo=1"};
    assert_int_equal(service->submit(service, &given, NULL, NULL), 0);
    sim_advance(sim, S);
    const struct seen *run = nth("paddock.run", 0);
    assert_int_equal(run->raw.kind, PDK_SPAN_CONSUMER);
    says(run, " paddock.source=b1 ");
    assert_string_equal(run->parent, SPAN_ID);
    assert_string_equal(handed_state, "rojo=1");
    assert_int_equal(strncmp(answered + 36, run->span, 16), 0);
    given.struct_size = offsetof(pdk_submission, trace_state); /* as older sources have it */
    assert_int_equal(service->submit(service, &given, NULL, NULL), 0);
    sim_advance(sim, S);
    assert_string_equal(handed_state, "");
    assert_int_equal(backends[0].count, 4);
    pdk_values_get()->drop(spec);
    sim_end(sim);
}

/* ---- what a submission carries for its spans */

static const pdk_value *parse(const char *json) {
    const pdk_value *value = NULL;
    assert_int_equal(pdk_values_get()->parse(pdk_values_get(), json, strlen(json), "test", &value, NULL), 0);
    return value;
}

/* 256 bytes end in the middle of an e with two dots; then 20 more entries, of which there is room for 12. */
static const pdk_value *many_attributes(void) {
    char json[1024], *to = json, *end = json + sizeof json;
    to +=
        snprintf(to, (size_t)(end - to), "{\"order\":\"4711\",\"n\":3,\"none\":null,\"empty\":\"\",\"list\":[\"x\"],");
    to += snprintf(to, (size_t)(end - to),
                   "\"paddock.task\":\"forged\",\"%065d\":\"x\",\"%064d\":\"y\",\"long\":\"%0255d\xc3\xab\"", 0, 0, 7);
    for (int i = 0; i < 20; i++) to += snprintf(to, (size_t)(end - to), ",\"k%d\":\"v\"", i);
    (void)snprintf(to, (size_t)(end - to), "}");
    return parse(json);
}

static void carried(void **state) {
    struct sim *sim = begin(&with_sample);
    const pdk_value *spec = parse("{\"name\":\"n\",\"kind\":\"fake\",\"with\":{\"script\":\"S\"}}"),
                    *brought = many_attributes();
    char key[80], text[300];
    (void)state;
    add(sim, &source);
    pdk_submission given = {.struct_size = sizeof given, .delivery = 42, .spec = spec, .attributes = brought};
    assert_int_equal(service->submit(service, &given, NULL, NULL), 0);
    pdk_values_get()->drop(brought); /* the host has what it needs */
    sim_advance(sim, S);
    (void)snprintf(key, sizeof key, " %064d=y ", 0);
    (void)snprintf(text, sizeof text, " long=%0255d ", 7);
    for (int i = 0; i < 2; i++) {
        const struct seen *seen = nth(i ? "paddock.attempt" : "paddock.run", 0);
        says(seen, " order=4711 ");
        says(seen, " paddock.task=n ");
        says(seen, key);
        says(seen, text);
        says(seen, " k11=v ");
        says_not(seen, "forged");
        says_not(seen, " k12=v ");
        says_not(seen, " n=");
    }
    given.struct_size = offsetof(pdk_submission, attributes); /* as older sources have it */
    given.attributes = spec;
    assert_int_equal(service->submit(service, &given, NULL, NULL), 0);
    sim_advance(sim, S);
    says_not(nth("paddock.run", 1), " kind=");
    pdk_values_get()->drop(spec);
    sim_end(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_run_and_its_attempt),
                                       cmocka_unit_test(retries),
                                       cmocka_unit_test(ends),
                                       cmocka_unit_test(lost),
                                       cmocka_unit_test(one_that_came),
                                       cmocka_unit_test(a_bad_one),
                                       cmocka_unit_test(not_sampled),
                                       cmocka_unit_test(without_a_say),
                                       cmocka_unit_test(two_backends),
                                       cmocka_unit_test(nobody_wants_it),
                                       cmocka_unit_test(in_events),
                                       cmocka_unit_test(ids),
                                       cmocka_unit_test(moments_are_bounded),
                                       cmocka_unit_test(process_id),
                                       cmocka_unit_test(from_a_source),
                                       cmocka_unit_test(carried)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
