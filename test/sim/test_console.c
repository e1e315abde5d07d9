/* SPDX-License-Identifier: Apache-2.0 */
/* What a console asks of the supervisor: words for runs and events, slots that are paused, what other plugins offer. */
#include "sim.h"

#include "core/base/buffer.h"
#include "support/fail_alloc.h"

static struct pdk_buffer heard;

static void print(const pdk_value *value, struct pdk_buffer *text) {
    (void)pdk_values_get()->print(pdk_values_get(), value, 0, pdk_buffer_write, text);
}

/* What is printed straight is what is described. */
static void check_printed(const struct sim *sim, const pdk_event *event, const pdk_run_info *info,
                          const pdk_value *value) {
    struct pdk_buffer described = PDK_BUFFER(1 << 16), printed = PDK_BUFFER(1 << 16);
    int32_t rc = event ? sim->control->print_event(sim->control, event, pdk_buffer_write, &printed)
                       : sim->control->print_run(sim->control, info, pdk_buffer_write, &printed);
    assert_int_equal(rc, 0);
    print(value, &described);
    assert_string_equal(pdk_buffer_string(&printed), pdk_buffer_string(&described));
    pdk_buffer_free(&described);
    pdk_buffer_free(&printed);
}

static void hear(void *arg, const pdk_event *event) {
    struct sim *sim = arg;
    const pdk_value *value;
    pdk_event copy = *event;
    copy.unix_ns = UINT64_C(1767323045678901234);
    assert_int_equal(sim->control->describe_event(sim->control, &copy, &value), 0);
    check_printed(sim, &copy, NULL, value);
    (void)pdk_values_get()->print(pdk_values_get(), value, 0, pdk_buffer_write, &heard);
    pdk_buffer_text(&heard, "\n");
    pdk_values_get()->drop(value);
}

/* Of one run, from its first event on: what each says behind whose it is. */
static const struct {
    const char *event, *says;
} timed_out_once[] = {
    {"run.accepted", ""},
    {"attempt.started", ",\"attempt\":1"},
    {"attempt.stopping", ",\"attempt\":1,\"message\":\"timed out after 1s; killed in 10s\""},
    {"attempt.ended",
     ",\"attempt\":1,\"result\":\"timed_out\",\"message\":\"timed out after 1s\",\"duration_seconds\":1.0"},
    {"attempt.backoff", ",\"attempt\":1,\"delay_seconds\":2.0,\"message\":\"retry 1 of 1 in 2s: timed out after 1s\""},
    {"attempt.started", ",\"attempt\":2"},
    {"attempt.ended",
     ",\"attempt\":2,\"result\":\"succeeded\",\"exit_code\":0,\"message\":\"succeeded\",\"duration_seconds\":0.5"},
    {"run.ended", ",\"attempt\":2,\"outcome\":\"succeeded\",\"attempts\":2,\"exit_code\":0,\"duration_seconds\":3.5"},
};

static void events_have_words(void **state) {
    const pdk_filter filter = {.struct_size = sizeof filter, .events = 0xffff};
    struct pdk_buffer all = PDK_BUFFER(1 << 20);
    struct sim *sim = sim_new();
    pdk_watch watch;
    (void)state;
    heard = PDK_BUFFER(1 << 20);
    assert_int_equal(sim->control->subscribe(sim->control, &filter, hear, sim, &watch), 0);
    (void)sim_submit(sim, "a", "'timeout':'1s','retries':1,'backoff':'2s','with':{'script':'- S:500ms'}");
    sim_advance(sim, 5 * S);
    for (size_t i = 0; i < sizeof timed_out_once / sizeof *timed_out_once; i++)
        pdk_buffer_format(&all,
                          "{\"seq\":%zu,\"time\":\"2026-01-02T03:04:05.678901234Z\",\"event\":\"%s\","
                          "\"run_id\":\"fake-a-1\",\"task\":\"a\",\"slot\":\"a\",\"runner\":\"fake\"%s}\n",
                          i + 2, timed_out_once[i].event, timed_out_once[i].says);
    assert_string_equal(pdk_buffer_string(&heard), pdk_buffer_string(&all));
    sim->control->unsubscribe(sim->control, watch);
    pdk_buffer_free(&heard);
    pdk_buffer_free(&all);
    sim_end(sim);
}

static void output_says(struct sim *sim, const char *data, size_t size, const char *wanted) {
    const pdk_event event = {
        .struct_size = sizeof event, .kind = PDK_EVENT_OUTPUT, .stream = PDK_STDERR, .data = data, .size = size};
    struct pdk_buffer text = PDK_BUFFER(4096);
    const pdk_value *value;
    assert_int_equal(sim->control->describe_event(sim->control, &event, &value), 0);
    check_printed(sim, &event, NULL, value);
    (void)pdk_values_get()->print(pdk_values_get(), value, 0, pdk_buffer_write, &text);
    assert_string_equal(pdk_buffer_string(&text), wanted);
    pdk_buffer_free(&text);
    pdk_values_get()->drop(value);
}

static void output_may_be_any_bytes(void **state) {
    struct sim *sim = sim_new();
    (void)state;
#define OUTPUT "{\"seq\":0,\"event\":\"attempt.output\",\"stream\":\"stderr\","
    output_says(sim, "text", 4, OUTPUT "\"text\":\"text\"}");
    output_says(sim, "", 0, OUTPUT "\"text\":\"\"}");
    output_says(sim, "\x1b[1m", 4, OUTPUT "\"text\":\"\\u001b[1m\"}");
    output_says(sim, "\xff", 1, OUTPUT "\"base64\":\"/w==\"}");
    output_says(sim, "\xff\xfe", 2, OUTPUT "\"base64\":\"//4=\"}");
    output_says(sim, "\xff\xfe\xfd", 3, OUTPUT "\"base64\":\"//79\"}");
    output_says(sim, "a\0b", 3, OUTPUT "\"base64\":\"YQBi\"}");
    sim_end(sim);
}

static void what_is_printed_reads_back_the_same(void **state) {
    static const uint64_t times[] = {
        0, 1, 999999999, 1000000000, 12345678901, 123456789012345, UINT64_C(999999999999999999)};
    const pdk_usage usage = {.struct_size = sizeof usage, .user_ns = 7, .system_ns = 120000, .max_rss = 1 << 20};
    pdk_event event = {.struct_size = sizeof event,
                       .kind = PDK_EVENT_ENDED,
                       .text = "a \"line\"\n\x01 and \xc3\xa4",
                       .code = "no text \xff",
                       .attempt = 3,
                       .usage = &usage};
    struct sim *sim = sim_new();
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        const pdk_values *v = pdk_values_get();
        struct pdk_buffer text = PDK_BUFFER(4096);
        const pdk_value *described, *printed;
        event.duration_ns = times[i];
        assert_int_equal(sim->control->describe_event(sim->control, &event, &described), 0);
        assert_int_equal(sim->control->print_event(sim->control, &event, pdk_buffer_write, &text), 0);
        assert_int_equal(v->parse(v, pdk_buffer_string(&text), text.size, "test", &printed, NULL), 0);
        pdk_buffer_free(&text);
        struct pdk_buffer other = PDK_BUFFER(4096);
        text = PDK_BUFFER(4096);
        print(described, &other);
        print(printed, &text);
        assert_string_equal(pdk_buffer_string(&text), pdk_buffer_string(&other));
        pdk_buffer_free(&text);
        pdk_buffer_free(&other);
        v->drop(described);
        v->drop(printed);
    }
    event.kind = 99;
    assert_int_equal(sim->control->print_event(sim->control, &event, pdk_buffer_write, NULL), -EINVAL);
    sim_end(sim);
}

static int32_t describe(void *arg, const pdk_run_info *info) {
    struct sim *sim = arg;
    const pdk_value *value;
    assert_int_equal(sim->control->describe_run(sim->control, info, &value), 0);
    check_printed(sim, NULL, info, value);
    (void)pdk_values_get()->print(pdk_values_get(), value, 0, pdk_buffer_write, &heard);
    pdk_values_get()->drop(value);
    return 0;
}

static const char *described(struct sim *sim, pdk_run run) {
    const pdk_filter filter = {.struct_size = sizeof filter, .run = run};
    pdk_buffer_free(&heard);
    heard = PDK_BUFFER(1 << 20);
    assert_int_equal(sim->control->list(sim->control, &filter, describe, sim), 1);
    char *times = strstr(heard.data, ",\"submitted_at\"");
    assert_non_null(times);
    *times = '\0';
    return heard.data;
}

static void runs_have_words(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit(sim, "a", "'with':{'script':'S:5s'}");
    assert_string_equal(described(sim, run),
                        "{\"run_id\":\"fake-a-1\",\"task\":\"a\",\"kind\":\"fake\",\"slot\":\"a\",\"runner\":\"fake\","
                        "\"state\":\"running\",\"ready\":false,\"paused\":false,\"attempts\":1,\"retries\":0");
    sim_advance(sim, 5 * S);
    assert_string_equal(described(sim, run),
                        "{\"run_id\":\"fake-a-1\",\"task\":\"a\",\"kind\":\"fake\",\"slot\":\"a\",\"runner\":\"fake\","
                        "\"state\":\"ended\",\"outcome\":\"succeeded\",\"ready\":false,\"paused\":false,\"attempts\":1,"
                        "\"retries\":0,\"exit_code\":0");
    pdk_buffer_free(&heard);
    sim_end(sim);
}

/* Those that are there, those that come, and nobody else. */
static void a_paused_slot(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run on = sim_submit(sim, "on", "'slot':'x','with':{'script':'S:2s'}");
    pdk_run queued = sim_submit(sim, "queued", "'slot':'x','when_busy':'queue','with':{'script':'S'}");
    assert_int_equal(sim->control->pause_slot(sim->control, "x"), 0);
    assert_int_equal(sim->control->pause_slot(sim->control, "x"), 0);
    assert_int_equal(sim->control->pause_slot(sim->control, "no slot/"), -EINVAL);
    sim_turn(sim);
    pdk_run late = sim_submit(sim, "late", "'slot':'x','when_busy':'queue','with':{'script':'S'}");
    pdk_run other = sim_submit(sim, "other", "'with':{'script':'S'}");
    sim_advance(sim, 5 * S);
    sim_expect(sim, on, PDK_END_SUCCEEDED, NULL);
    sim_expect(sim, other, PDK_END_SUCCEEDED, NULL);
    assert_int_equal(sim_state(sim, queued), PDK_STATE_HELD);
    assert_int_equal(sim_state(sim, late), PDK_STATE_QUEUED);
    assert_int_equal(sim->control->resume_slot(sim->control, "x"), 0);
    sim_advance(sim, 1 * MS);
    sim_expect(sim, queued, PDK_END_SUCCEEDED, NULL);
    sim_expect(sim, late, PDK_END_SUCCEEDED, NULL);
    assert_int_equal(sim->control->resume_slot(sim->control, "x"), 0);
    sim_end(sim);
}

static int32_t pause_x(void *arg) {
    const struct sim *sim = arg;
    return sim->control->pause_slot(sim->control, "x");
}

/* There is no memory for one of its runs: whoever asks again pauses that one, too. */
static void a_slot_that_is_paused_in_part(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run on = sim_submit(sim, "on", "'slot':'x','with':{'script':'S:2s'}");
    pdk_run queued = sim_submit(sim, "queued", "'slot':'x','when_busy':'queue','with':{'script':'S'}");
    assert_true(pdk_fail_sweep(pause_x, sim) > 1);
    sim_advance(sim, 5 * S);
    sim_expect(sim, on, PDK_END_SUCCEEDED, NULL);
    assert_int_equal(sim_state(sim, queued), PDK_STATE_HELD);
    sim_end(sim);
}

static void inspects(struct sim *sim, const char *wanted) {
    struct pdk_buffer text = PDK_BUFFER(4096);
    const pdk_value *value;
    assert_int_equal(sim->control->inspect(sim->control, "slots", 0, NULL, &value, NULL), 0);
    (void)pdk_values_get()->print(pdk_values_get(), value, 0, pdk_buffer_write, &text);
    assert_string_equal(pdk_buffer_string(&text), wanted);
    pdk_buffer_free(&text);
    pdk_values_get()->drop(value);
}

static void paused_slots_are_shown(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    assert_int_equal(sim->control->pause_slot(sim->control, "x"), 0);
    inspects(sim, "[{\"slot\":\"x\",\"waiting\":0,\"paused\":true}]");
    pdk_run run = sim_submit(sim, "x", "'with':{'script':'S'}");
    inspects(sim, "[{\"slot\":\"x\",\"owner\":\"fake-x-1\",\"state\":\"held\",\"waiting\":0,\"replacement\":\"\","
                  "\"paused\":true}]");
    assert_int_equal(sim->control->resume_slot(sim->control, "x"), 0);
    sim_advance(sim, 1 * MS);
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    inspects(sim, "[]");
    sim_end(sim);
}

static const void *extension(void *self, const char *id) {
    (void)self;
    return strcmp(id, "example.queue/1") == 0 ? "found" : NULL;
}

static void others_offer(void **state) {
    struct sim *sim = sim_new();
    pdk_plugin plugin = sim_plugin;
    (void)state;
    plugin.name = "offers";
    plugin.get_extension = extension;
    assert_int_equal(pdk_supervisor_add(sim->s, &plugin, NULL, NULL), 0);
    assert_string_equal(sim->control->find(sim->control, "example.queue/1"), "found");
    assert_null(sim->control->find(sim->control, "example.queue/2"));
    sim_end(sim);
}

static int32_t program_inspects(void *arg, const char *subject, const pdk_value *given, pdk_writer *w, pdk_error *err) {
    (void)given;
    if (strcmp(subject, "tasks") != 0) return -ENOENT;
    if (arg == NULL) return pdk_fail(err, -EIO, NULL, "cannot be said", NULL, NULL);
    pdk_values_get()->put_string(w, arg, strlen(arg));
    return 0;
}

static int32_t program_does(void *arg, const char *verb, const pdk_value *params, pdk_writer *w, pdk_error *err) {
    (void)arg;
    if (strcmp(verb, "nothing") == 0) return pdk_fail(err, -EINVAL, NULL, "a fault", NULL, NULL);
    if (strcmp(verb, "echo") != 0) return -ENOTSUP;
    pdk_values_get()->put_value(w, params);
    return 0;
}

static void the_program_answers(void **state) {
    static const struct pdk_program_ops ops = {program_inspects, program_does};
    static char arg[] = "two";
    struct sim *sim = sim_new();
    const pdk_control *control = sim->control;
    const pdk_values *values = pdk_values_get();
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    (void)state;
    assert_int_equal(control->inspect(control, "tasks", 0, NULL, &value, &err), -ENOENT);
    assert_int_equal(control->command(control, "echo", NULL, &value, &err), -ENOTSUP);
    assert_string_equal(err.message, "this program has no command \"echo\"");
    pdk_supervisor_program(sim->s, &ops, arg);
    assert_int_equal(control->inspect(control, "tasks", 0, NULL, &value, &err), 0);
    assert_string_equal(pdk_value_text(value), "two");
    assert_int_equal(control->command(control, "echo", value, NULL, &err), 0); /* an answer nobody wants is no leak */
    values->drop(value);
    assert_int_equal(control->inspect(control, "others", 0, NULL, &value, &err), -ENOENT);
    assert_string_equal(err.message, "there is no subject \"others\"");
    assert_int_equal(control->command(control, "nothing", NULL, NULL, &err), -EINVAL);
    assert_string_equal(err.message, "a fault");
    assert_int_equal(control->command(control, "all", NULL, NULL, &err), -ENOTSUP);
    pdk_supervisor_program(sim->s, &ops, NULL);
    assert_int_equal(control->inspect(control, "tasks", 0, NULL, &value, &err), -EIO);
    assert_int_equal(control->inspect(control, "status", 0, NULL, &value, &err), 0); /* ours stay ours */
    values->drop(value);
    sim_end(sim);
}

struct listing {
    struct sim *sim;
    char ids[512];
    pdk_run last;
};

static int32_t note_id(void *arg, const pdk_run_info *info) {
    struct listing *listing = arg;
    (void)strlcat(listing->ids, info->run_id, sizeof listing->ids);
    (void)strlcat(listing->ids, " ", sizeof listing->ids);
    listing->last = info->run;
    return 0;
}

static void lists(struct listing *listing, pdk_filter filter, const char *wanted) {
    const pdk_control *control = listing->sim->control;
    filter.struct_size = sizeof filter;
    listing->ids[0] = '\0';
    (void)control->list(control, &filter, note_id, listing);
    assert_string_equal(listing->ids, wanted);
}

/* A page goes on where the last one ended, whatever has come or been forgotten since. */
static void runs_are_listed_newest_first(void **state) {
    static const char *const names[] = {"a", "b", "c", "d"};
    struct listing listing = {.sim = sim_new()};
    (void)state;
    lists(&listing, (pdk_filter){.newest = 1}, "");
    for (int i = 0; i < 4; i++) (void)sim_submit(listing.sim, names[i], "'with':{'script':'S:5s'}");
    lists(&listing, (pdk_filter){.newest = 0}, "fake-a-1 fake-b-2 fake-c-3 fake-d-4 ");
    lists(&listing, (pdk_filter){.newest = 1, .limit = 2}, "fake-d-4 fake-c-3 ");
    (void)sim_submit(listing.sim, "e", "'with':{'script':'S:5s'}");
    lists(&listing, (pdk_filter){.newest = 1, .limit = 1, .after = listing.last}, "fake-b-2 ");
    lists(&listing, (pdk_filter){.newest = 1, .after = listing.last}, "fake-a-1 ");
    lists(&listing, (pdk_filter){.newest = 1, .after = listing.last}, "");
    lists(&listing, (pdk_filter){.newest = 1, .after = UINT64_MAX, .limit = 1},
          "fake-e-5 "); /* one that is forgotten */
    lists(&listing, (pdk_filter){.newest = 1, .below = 3}, "fake-b-2 fake-a-1 ");
    lists(&listing, (pdk_filter){.newest = 1, .below = 1}, "");
    lists(&listing, (pdk_filter){.newest = 1, .below = 1000, .limit = 1}, "fake-e-5 ");
    lists(&listing, (pdk_filter){.run_id = "fake-c-3"}, "fake-c-3 ");
    lists(&listing, (pdk_filter){.run_id = "fake-c-3", .newest = 1}, "fake-c-3 ");
    lists(&listing, (pdk_filter){.run_id = "fake-c-4"}, "");
    sim_end(listing.sim);
}

static void hear_tap(void *arg, const pdk_event *event) {
    (void)arg;
    if (event->kind == PDK_EVENT_ENDED) pdk_buffer_format(&heard, "[end of %u]", event->attempt);
    if (event->kind == PDK_EVENT_OUTPUT && !event->data) pdk_buffer_format(&heard, "[%zu lost]", event->size);
    if (event->kind != PDK_EVENT_OUTPUT || !event->data) return;
    pdk_buffer_format(&heard, "%s%u %d:", event->name, event->attempt, event->stream);
    pdk_buffer_add(&heard, event->data, event->size < 32 ? event->size : 32);
}

/* As it came, newlines and all, before the end of the attempt is heard; and what is lost is told where it is missing. */
static void a_tap_hears_all(void **state) {
    static char flood[300 * 1024];
    const pdk_filter ends = {.struct_size = sizeof ends, .events = 1u << PDK_EVENT_ENDED};
    struct sim *sim = sim_new();
    pdk_watch tap, watch;
    (void)state;
    heard = PDK_BUFFER(1 << 20);
    memset(flood, 'x', sizeof flood);
    assert_int_equal(sim->control->tap(sim->control, hear_tap, sim, &tap), 0);
    assert_int_equal(sim->control->subscribe(sim->control, &ends, hear_tap, sim, &watch), 0);
    (void)sim_submit(sim, "a", "");
    struct sim_task *task = sim_task(sim, "a");
    const pdk_host *host = task->host;
    (void)host->output(host, task->attempt, PDK_STDOUT, "one\ntw", 6);
    sim_turn(sim);
    (void)host->output(host, task->attempt, PDK_STDERR, "\n\xff", 2);
    sim_turn(sim);
    (void)host->output(host, task->attempt, PDK_STDOUT, flood, sizeof flood);
    (void)host->output(host, task->attempt, PDK_STDOUT, "last", 4);
    (void)sim_done(task, PDK_SUCCESS);
    sim_turn(sim);
    assert_string_equal(pdk_buffer_string(&heard), "a1 1:one\ntwa1 2:\n\xff[307200 lost]a1 1:last[end of 1]");
    sim->control->unsubscribe(sim->control, tap);
    (void)sim_submit(sim, "b", "");
    task = sim_task(sim, "b");
    (void)host->output(host, task->attempt, PDK_STDOUT, "not heard", 9);
    (void)sim_done(task, PDK_SUCCESS);
    sim_turn(sim);
    assert_null(strstr(pdk_buffer_string(&heard), "not heard"));
    assert_int_equal(sim->control->tap(sim->control, hear_tap, sim, &tap), 0); /* which the end takes away */
    pdk_buffer_free(&heard);
    sim_end(sim);
}

static void says(struct sim *sim, const char *subject, pdk_run run, const char *wanted) {
    struct pdk_buffer text = PDK_BUFFER(1 << 16);
    const pdk_value *value;
    assert_int_equal(sim->control->inspect(sim->control, subject, run, NULL, &value, NULL), 0);
    (void)pdk_values_get()->print(pdk_values_get(), value, 0, pdk_buffer_write, &text);
    if (!strstr(pdk_buffer_string(&text), wanted)) assert_string_equal(pdk_buffer_string(&text), wanted);
    pdk_buffer_free(&text);
    pdk_values_get()->drop(value);
}

static int32_t print_page(void *self, pdk_write write, void *arg) {
    (void)self;
    write(arg, "a 1\n", 4);
    return 0;
}

static pdk_series *no_series(void *self, const pdk_metric *metric, const char *const *values) {
    (void)self, (void)metric, (void)values;
    return NULL;
}

static void no_record(void *self, pdk_series *series, double n) {
    (void)self, (void)series, (void)n;
}

static void metrics_are_printed(void **state) {
    static const pdk_metrics_ops silent = {
        .struct_size = sizeof silent, .series = no_series, .add = no_record, .set = no_record, .observe = no_record};
    static const pdk_metrics_ops prints = {.struct_size = sizeof prints,
                                           .series = no_series,
                                           .add = no_record,
                                           .set = no_record,
                                           .observe = no_record,
                                           .print = print_page};
    struct sim *sim = sim_new();
    pdk_plugin mute = sim_plugin, page = sim_plugin;
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    (void)state;
    mute.name = "mute";
    mute.runner = NULL;
    mute.metrics = &silent;
    page = mute;
    page.name = "page";
    page.metrics = &prints;
    assert_int_equal(pdk_supervisor_add(sim->s, &mute, NULL, &err), 0);
    assert_int_equal(sim->control->inspect(sim->control, "metrics", 0, NULL, &value, &err), -ENOENT);
    assert_string_equal(err.message, "there is no metrics backend that prints");
    assert_int_equal(pdk_supervisor_add(sim->s, &page, NULL, &err), 0);
    says(sim, "metrics", 0, "\"a 1\\n\"");
    says(sim, "plugins", 0, "\"roles\":[\"metrics\"],\"kinds\":[]");
    says(sim, "plugins", 0, "\"roles\":[\"runner\"],\"kinds\":[\"fake\"]");
    sim_end(sim);
}

static void secrets_are_not_shown(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit(sim, "a", "'with':{'script':'S:5s','secret':'hidden'}");
    says(sim, "spec", run, "\"with\":{\"script\":\"S:5s\",\"secret\":\"***\"}");
    says(sim, "whole_spec", run, "\"with\":{\"script\":\"S:5s\",\"secret\":\"hidden\"}");
    says(sim, "status", 0, "\"states\":{\"queued\":0,\"running\":1,\"backoff\":0,\"stopping\":0,\"stuck\":0}");
    sim_end(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_have_words),
        cmocka_unit_test(output_may_be_any_bytes),
        cmocka_unit_test(what_is_printed_reads_back_the_same),
        cmocka_unit_test(runs_have_words),
        cmocka_unit_test(a_paused_slot),
        cmocka_unit_test(a_slot_that_is_paused_in_part),
        cmocka_unit_test(paused_slots_are_shown),
        cmocka_unit_test(others_offer),
        cmocka_unit_test(the_program_answers),
        cmocka_unit_test(runs_are_listed_newest_first),
        cmocka_unit_test(metrics_are_printed),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(a_tap_hears_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
