/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of the source rrq: frames, messages, times, addresses. */
#include "support/unit.h"

#include "core/value/value.h"
#include "support/fail_alloc.h"

#include "address.h"
#include "frame.h"
#include "message.h"
#include "timestamp.h"

static pdk_host host = {.struct_size = sizeof(pdk_host)};

static const pdk_value *parse(const char *json) {
    const pdk_value *value = NULL;
    char text[1024];
    (void)strlcpy(text, json, sizeof text);
    for (char *at = text; *at; at++) *at = *at == '\'' ? '"' : *at;
    assert_int_equal(host.values->parse(host.values, text, strlen(text), "test", &value, NULL), 0);
    return value;
}

static void frames(void **state) {
    (void)state;
    struct pdk_rrq_frame frame;
    assert_int_equal(pdk_rrq_frame_next("", 0, &frame), 0);
    assert_int_equal(frame.whole, 4);
    assert_int_equal(pdk_rrq_frame_next("\0\0\0", 3, &frame), 0);
    assert_int_equal(pdk_rrq_frame_next("\0\0\0\0x", 5, &frame), -EPROTO);
    assert_int_equal(pdk_rrq_frame_next("\0\0\0\2a", 5, &frame), 0);
    assert_int_equal(frame.whole, 6);
    assert_int_equal(pdk_rrq_frame_next("\0\0\0\2abc", 7, &frame), 1);
    assert_int_equal(frame.whole, 6);
    assert_memory_equal(frame.body, "ab", 2);
    assert_int_equal(pdk_rrq_frame_next("\x01\0\0\0", 4, &frame), 0); /* 16 MiB */
    assert_int_equal(frame.whole, 16777220);
    assert_int_equal(pdk_rrq_frame_next("\x01\0\0\1", 4, &frame), -EPROTO);
    assert_int_equal(pdk_rrq_frame_next("\xff\xff\xff\xff", 4, &frame), -EPROTO);
    char head[4];
    pdk_rrq_frame_head(head, 16777216);
    assert_memory_equal(head, "\x01\0\0\0", 4);
    pdk_rrq_frame_head(head, 0x0102f3);
    assert_memory_equal(head, "\0\x01\x02\xf3", 4);
}

static void times(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {{"1970-01-01T00:00:00Z", 0},
                {"1970-01-01T00:00:01.5Z", 1500000000},
                {"2026-01-01T00:00:00Z", UINT64_C(1767225600000000000)},
                {"2030-01-01T00:05:00.123456789Z", UINT64_C(1893456300123456789)},
                {"2030-01-01T00:05:00.1234567899Z", UINT64_C(1893456300123456789)},
                {"2024-02-29T23:59:59+00:00", UINT64_C(1709251199000000000)},
                {"2024-03-01t01:59:59+02:00", UINT64_C(1709251199000000000)},
                {"2024-02-29 21:59:59-02:00", UINT64_C(1709251199000000000)},
                {"2000-12-31T23:59:60Z", UINT64_C(978307200000000000)},
                {"1969-12-31T23:00:00Z", 0},
                {"0000-01-01T00:00:00Z", 0},
                {"9999-12-31T23:59:59Z", INT64_MAX}};
    static const char *const bad[] = {"",
                                      "now",
                                      "2026-01-01",
                                      "2026-01-01T00:00:00",
                                      "2026-13-01T00:00:00Z",
                                      "2026-00-01T00:00:00Z",
                                      "2026-02-29T00:00:00Z",
                                      "2100-02-29T00:00:00Z",
                                      "2026-01-32T00:00:00Z",
                                      "2026-01-00T00:00:00Z",
                                      "2026-01-01T24:00:00Z",
                                      "2026-01-01T00:60:00Z",
                                      "2026-01-01T00:00:61Z",
                                      "2026-01-01T00:00:00.Z",
                                      "2026-01-01T00:00:00Zx",
                                      "2026-01-01T00:00:00+1:00",
                                      "2026-01-01T00:00:00+24:00",
                                      "26-01-01T00:00:00Z",
                                      "2026-1-1T00:00:00Z"};
    uint64_t ns;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(pdk_rrq_time_parse(good[i].text, &ns), 0);
        assert_int_equal(ns, good[i].ns);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) assert_int_equal(pdk_rrq_time_parse(bad[i], &ns), -EINVAL);
}

static void addresses(void **state) {
    (void)state;
    static const char *const good[] = {"127.0.0.1:1", " localhost:65535 ", "127.255.0.9:80\n", "[::1]:9000"};
    static const char *const bad[] = {"",
                                      ":",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "127.0.0.1:0",
                                      "[::1]",
                                      "[::1]9",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:-1",
                                      "127.0.0.1:1x",
                                      "[::2]:80",
                                      "[127.0.0.1]:80",
                                      "128.0.0.1:80",
                                      "localhost.org:8",
                                      "127.0.0.1:99999999999",
                                      "[",
                                      "[]:1",
                                      "::1:80",
                                      "127.1:80",
                                      "0.0.0.0:80"};
    struct pdk_rrq_address address;
    pdk_error err = PDK_ERROR;
    for (size_t i = 0; i < COUNT_OF(good); i++) assert_int_equal(pdk_rrq_address_parse(good[i], &address, &err), 0);
    assert_int_equal(address.any.sa_family, AF_INET6);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        err.message[0] = '\0';
        assert_int_equal(pdk_rrq_address_parse(bad[i], &address, &err), -EINVAL);
        assert_true(err.message[0] && err.hint[0]);
    }
}

static char *written(const struct pdk_rrq_outcome *outcome, char *buf, size_t size) {
    struct pdk_rrq_buffer out = {0};
    struct pdk_rrq_frame frame;
    assert_int_equal(pdk_rrq_outcome_write(&host, outcome, &out), 0);
    assert_int_equal(pdk_rrq_frame_next(out.data, out.size, &frame), 1);
    assert_int_equal(frame.whole, out.size);
    assert_true(frame.size < size);
    memcpy(buf, frame.body, frame.size);
    buf[frame.size] = '\0';
    pdk_rrq_buffer_free(&out);
    return buf;
}

static void outcomes(void **state) {
    (void)state;
    char buf[1024];
    const pdk_value *value = parse("{'ok':true}");
    struct pdk_rrq_outcome outcome = {.job_id = "job-r1", .request_id = "r1", .status = "success", .result = value};
    assert_string_equal(written(&outcome, buf, sizeof buf),
                        "{\"type\":\"response\",\"payload\":{\"job_id\":\"job-r1\",\"request_id\":\"r1\",\"status\":"
                        "\"success\",\"result\":{\"ok\":true}}}");
    outcome.result = NULL;
    assert_non_null(strstr(written(&outcome, buf, sizeof buf), "\"result\":null}}"));
    outcome = (struct pdk_rrq_outcome){.job_id = "a\"b",
                                       .request_id = "\xff\n",
                                       .status = "retry",
                                       .message = "gr\xc3\xbc\xc3\x9f",
                                       .type = "t",
                                       .code = "c",
                                       .details = value,
                                       .retries = true,
                                       .retry_after_ns = 1500000000};
    assert_string_equal(
        written(&outcome, buf, sizeof buf),
        "{\"type\":\"response\",\"payload\":{\"job_id\":\"a\\\"b\",\"request_id\":\"\?\?\",\"status\":"
        "\"retry\",\"error\":{\"message\":\"gr\xc3\xbc\xc3\x9f\",\"type\":\"t\",\"code\":\"c\",\"details\":"
        "{\"ok\":true}},\"retry_after_seconds\":1.500000000}}");
    host.values->drop(value);
}

/* Of one that is too long nothing stays behind what was there. */
static void too_long(void **state) {
    (void)state;
    char *text = malloc((size_t)PDK_RRQ_FRAME_MAX);
    const pdk_value *value = NULL;
    pdk_writer *w = host.values->open(host.values);
    assert_non_null(text);
    memset(text, 'x', PDK_RRQ_FRAME_MAX);
    host.values->put_string(w, text, PDK_RRQ_FRAME_MAX);
    assert_int_equal(host.values->close(w, &value, NULL), 0);
    struct pdk_rrq_outcome outcome = {.job_id = "j", .request_id = "r", .status = "success", .result = value};
    struct pdk_rrq_buffer out = {0};
    assert_int_equal(pdk_rrq_buffer_add(&out, "before", 6), 0);
    assert_int_equal(pdk_rrq_outcome_write(&host, &outcome, &out), -E2BIG);
    assert_int_equal(out.size, 6);
    assert_memory_equal(out.data + out.start, "before", 6);
    pdk_rrq_buffer_free(&out);
    host.values->drop(value);
    free(text);
}

#define CONTEXT                                                                                                   \
    "'context':{'job_id':'j','attempt':1,'enqueue_time':'2026-01-01T00:00:00Z','queue_name':'q','deadline':null," \
    "'trace_context':{'traceparent':'00-1'},'worker_id':'w'}"

static void requests(void **state) {
    (void)state;
    struct pdk_rrq_request request;
    const pdk_value *params = NULL;
    pdk_error err = PDK_ERROR;
    const pdk_value *value =
        parse("{'protocol_version':'1','request_id':'r','job_id':'j','function_name':'f','args':[1],"
              "'kwargs':{'a':2}," CONTEXT "}");
    assert_int_equal(pdk_rrq_request_read(&host, value, &request, &err), 0);
    assert_string_equal(request.function, "f");
    assert_string_equal(request.traceparent, "00-1");
    assert_string_equal(request.worker, "w");
    assert_int_equal(request.deadline_unix, 0);
    assert_int_equal(pdk_rrq_request_params(&host, &request, &params, &err), 0);
    assert_int_equal(host.values->count(params), 2);
    host.values->drop(params);
    host.values->drop(value);
    value = parse("{'job_id':'j','request_id':3}");
    assert_int_equal(pdk_rrq_request_read(&host, value, &request, &err), -EINVAL);
    assert_string_equal(err.message, "\"request_id\" is no string");
    assert_null(request.request_id);
    assert_string_equal(request.job_id, "j");
    host.values->drop(value);
}

static int32_t live(void *arg) {
    const pdk_value *value = arg, *params = NULL;
    struct pdk_rrq_request request;
    struct pdk_rrq_buffer out = {0};
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_rrq_request_read(&host, value, &request, &err);
    if (rc == 0) rc = pdk_rrq_request_params(&host, &request, &params, &err);
    struct pdk_rrq_outcome outcome = {
        .job_id = "gr\xc3\xbc\xc3\x9f", .request_id = "r", .status = "success", .result = params};
    if (rc == 0) rc = pdk_rrq_outcome_write(&host, &outcome, &out);
    pdk_rrq_buffer_free(&out);
    host.values->drop(params);
    return rc;
}

static void without_memory(void **state) {
    (void)state;
    const pdk_value *value =
        parse("{'protocol_version':'1','request_id':'r','job_id':'j','function_name':'f','args':[1],"
              "'kwargs':{'a':2}," CONTEXT "}");
    assert_true(pdk_fail_sweep(live, (void *)(uintptr_t)value) > 2);
    host.values->drop(value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames),         cmocka_unit_test(times),    cmocka_unit_test(addresses),
        cmocka_unit_test(outcomes),       cmocka_unit_test(too_long), cmocka_unit_test(requests),
        cmocka_unit_test(without_memory),
    };
    host.values = pdk_values_get();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
