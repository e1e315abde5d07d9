/* SPDX-License-Identifier: Apache-2.0 */
/* What the near side is made of, without a process: pointers, specs as JSON, limits; and what is kept for slow readers. */
#include "support/unit.h"

#include "core/isolate/proxy.h"
#include "support/fail_alloc.h"

static const pdk_value *parse(const char *json) {
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    if (pdk_values_get()->parse(pdk_values_get(), json, strlen(json), "test", &value, &err) < 0)
        fail_msg("%s", err.message);
    return value;
}

static const char *at(const pdk_value *root, const char *pointer) {
    static char text[128];
    (void)pdk_values_get()->where(pdk_pointer_follow(root, pointer), text, sizeof text);
    return text;
}

static void pointers_lead_to_values(void **state) {
    const pdk_value *root = parse("{\"a\": [1, {\"b/c\": 2, \"~\": 3}]}");
    (void)state;
    assert_string_equal(at(root, ""), "test");
    assert_string_equal(at(root, "/a/0"), "test /a/0");
    assert_string_equal(at(root, "/a/1/b~1c"), "test /a/1/b~1c");
    assert_string_equal(at(root, "/a/1/~0"), "test /a/1/~0");
    assert_string_equal(at(root, "/a/7"), "test /a"); /* the last that is there */
    assert_string_equal(at(root, "/x/y"), "test");
    assert_string_equal(at(root, "nonsense"), "test");
    pdk_values_get()->drop(root);
}

static pdk_spec spec_of(const pdk_value *whole) {
    return (pdk_spec){.struct_size = (uint32_t)sizeof(pdk_spec),
                      .kind = "k",
                      .name = "n",
                      .slot = "s",
                      .with = pdk_values_get()->get(whole, "with"),
                      .labels = &pdk_value_empty_map,
                      .whole = whole,
                      .timeout_ns = UINT64_MAX,
                      .grace_ns = 5};
}

static int32_t print(void *arg) {
    struct pdk_buffer json = PDK_BUFFER(4096);
    int32_t rc = pdk_spec_print(arg, &json);
    if (rc == 0 && strcmp(json.data, "{\"kind\":\"k\",\"name\":\"n\",\"slot\":\"s\",\"timeout_ns\":9223372036854775807,"
                                     "\"grace_ns\":5,\"with\":{\"odd\":\"\\\"\"},\"labels\":{},"
                                     "\"whole\":{\"with\":{\"odd\":\"\\\"\"}}}") != 0)
        rc = -EBADMSG;
    pdk_buffer_free(&json);
    return rc;
}

static void a_spec_becomes_json(void **state) {
    const pdk_value *whole = parse("{\"with\": {\"odd\": \"\\\"\"}}");
    pdk_spec spec = spec_of(whole);
    struct pdk_buffer small = PDK_BUFFER(20);
    (void)state;
    assert_true(pdk_fail_sweep(print, &spec) > 0);
    assert_int_equal(pdk_spec_print(&spec, &small), -E2BIG);
    assert_ptr_equal(pdk_pointer_in_spec(&spec, "/with/odd"), pdk_values_get()->get(spec.with, "odd"));
    assert_null(pdk_pointer_in_spec(&spec, "/nothing"));
    pdk_buffer_free(&small);
    pdk_values_get()->drop(whole);
}

static int32_t make_jail(void *arg) {
    static const char *const calls[] = {"default", "ptrace", NULL};
    const struct pdk_isolation isolation = {.user = "root", .seccomp = calls, .nofile = 100};
    struct pdk_jail jail = {0};
    int32_t rc = pdk_jail_make(&isolation, &jail, NULL);
    (void)arg;
    if (rc == 0 && (jail.rlimit_count != 1 || jail.filter_count < 50 || jail.uid != 0)) rc = -EBADMSG;
    pdk_jail_free(&jail);
    return rc;
}

static void limits_without_memory(void **state) {
    (void)state;
    assert_true(pdk_fail_sweep(make_jail, NULL) >= 3);
}

/* ---- a proxy without a process */

struct heard {
    char output[64];
    uint32_t dones;
    pdk_attempt last;
    bool pause;
};

static int32_t output(const pdk_host *host, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    struct heard *heard = host->data;
    (void)attempt, (void)stream;
    (void)snprintf(heard->output + strlen(heard->output), sizeof heard->output - strlen(heard->output), "%.*s",
                   (int)size, data);
    return heard->pause ? PDK_PAUSE : 0;
}

static int32_t done(const pdk_host *host, pdk_attempt attempt, const pdk_result *result) {
    struct heard *heard = host->data;
    (void)result;
    heard->dones++;
    heard->last = attempt;
    return 0;
}

static void hear_output(struct pdk_proxy *proxy, uint64_t id, char c) {
    char data[5] = {1, 0, 0, 0, c};
    pdk_proxy_hear(proxy, &(struct pdk_frame){PDK_MESSAGE_OUTPUT, id, data, sizeof data});
}

static void hear_done(struct pdk_proxy *proxy, uint64_t id) {
    const struct pdk_wire_done numbers = {.status = PDK_SUCCESS};
    pdk_proxy_hear(proxy, &(struct pdk_frame){PDK_MESSAGE_DONE, id, (const char *)&numbers, sizeof numbers});
}

struct scene {
    struct heard heard;
    pdk_host host;
    struct pdk_instance instance;
    struct pdk_proxy proxy;
    struct pdk_proxy_task *task;
    uint64_t id;
};

static void begin(struct scene *scene, const pdk_spec *spec) {
    static char name[] = "far";
    pdk_error err = PDK_ERROR;
    void *task;
    *scene = (struct scene){.host = {.struct_size = sizeof scene->host, .output = output, .done = done}};
    scene->host.data = &scene->heard;
    scene->instance.name = name;
    scene->proxy = (struct pdk_proxy){.host = &scene->host, .instance = &scene->instance, .processes = 1};
    assert_int_equal(pdk_proxy_build(&scene->proxy, spec, &task, &err), 0);
    scene->task = task;
    scene->task->process = 1;
    scene->task->attempt = 77;
    scene->task->running = true;
    scene->task->kept = PDK_BUFFER(1 << 20);
    scene->id = scene->task->remote = UINT64_C(9) << PDK_WIRE_TASK_BITS | scene->task->number;
}

static void end(struct scene *scene) {
    pdk_proxy_forget_tasks(&scene->proxy);
    pdk_proxy_free_tasks(&scene->proxy);
}

/* Output for those who read slowly waits here, in order, and the end behind it. */
static void slow_readers(void **state) {
    const pdk_spec spec = spec_of(&pdk_value_empty_map);
    struct scene s;
    (void)state;
    begin(&s, &spec);
    s.heard.pause = true;
    hear_output(&s.proxy, s.id, 'a');
    hear_output(&s.proxy, s.id, 'b');
    hear_output(&s.proxy, s.id, 'c');
    hear_done(&s.proxy, s.id);
    assert_string_equal(s.heard.output, "a");
    pdk_proxy_task_ops.resume(s.task); /* one more fills it again */
    assert_string_equal(s.heard.output, "ab");
    s.heard.pause = false;
    assert_int_equal(s.heard.dones, 0);
    pdk_proxy_task_ops.resume(s.task);
    assert_string_equal(s.heard.output, "abc");
    assert_int_equal(s.heard.dones, 1);
    end(&s);
    begin(&s, &spec);
    s.heard.pause = true;
    hear_output(&s.proxy, s.id, 'a');
    hear_output(&s.proxy, s.id, 'b');
    hear_done(&s.proxy, s.id);
    pdk_proxy_hear_all(&s.proxy); /* its process is gone */
    assert_string_equal(s.heard.output, "ab");
    assert_int_equal(s.heard.last, 77);
    end(&s);
}

/* Numbers of attempts that are not on, or of a process that is no more, end nobody's attempt. */
static void numbers_that_are_made_up(void **state) {
    const pdk_spec spec = spec_of(&pdk_value_empty_map);
    struct scene s;
    (void)state;
    begin(&s, &spec);
    const uint64_t wrong[] = {0, s.id + 1, s.id ^ (UINT64_C(1) << 40), UINT64_MAX, s.task->number};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        hear_done(&s.proxy, wrong[i]);
        hear_output(&s.proxy, wrong[i], 'x');
        assert_int_equal(s.heard.last, 0);
    }
    s.proxy.processes++;
    hear_done(&s.proxy, s.id);
    assert_int_equal(s.heard.last, 0);
    assert_string_equal(s.heard.output, "");
    s.proxy.processes--;
    hear_done(&s.proxy, s.id);
    assert_int_equal(s.heard.last, 77);
    end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers_lead_to_values),  cmocka_unit_test(a_spec_becomes_json),
        cmocka_unit_test(limits_without_memory),    cmocka_unit_test(slow_readers),
        cmocka_unit_test(numbers_that_are_made_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
