/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of W3C's own test suite, and those beside them. */
#include "support/unit.h"

#include <errno.h>
#include <string.h>

#include "core/base/traceparent.h"

#define TRACE "12345678901234567890123456789012"
#define SPAN  "1234567890123456"

static const struct {
    const char *text;
    bool good;
    int flags; /* of good ones */
} cases[] = {
    {"00-" TRACE "-" SPAN "-01", true, 1},
    {"00-" TRACE "-" SPAN "-00", true, 0},
    {"00-" TRACE "-" SPAN "-03", true, 3},
    {"00-" TRACE "-" SPAN "-ff", true, 3}, /* flags that nobody knows yet are not told on */
    {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true, 1},
    /* versions */
    {"cc-" TRACE "-" SPAN "-01", true, 1},
    {"cc-" TRACE "-" SPAN "-01-what-the-future-will-be-like", true, 1},
    {"cc-" TRACE "-" SPAN "-01-", true, 1},
    {"cc-" TRACE "-" SPAN "-01.what-the-future-will-be-like", false, 0},
    {"cc-" TRACE "-" SPAN "-011", false, 0},
    {"ff-" TRACE "-" SPAN "-01", false, 0},
    {"FF-" TRACE "-" SPAN "-01", false, 0},
    {"00-" TRACE "-" SPAN "-01-", false, 0},
    {"00-" TRACE "-" SPAN "-01-more", false, 0},
    {"00-" TRACE "-" SPAN "-01.more", false, 0},
    {"0-" TRACE "-" SPAN "-01", false, 0},
    {"000-" TRACE "-" SPAN "-01", false, 0},
    {".0-" TRACE "-" SPAN "-01", false, 0},
    {"0.-" TRACE "-" SPAN "-01", false, 0},
    {"0G-" TRACE "-" SPAN "-01", false, 0},
    /* ids */
    {"00-00000000000000000000000000000000-" SPAN "-01", false, 0},
    {"00-" TRACE "-0000000000000000-01", false, 0},
    {"00-.2345678901234567890123456789012-" SPAN "-01", false, 0},
    {"00-1234567890123456789012345678901.-" SPAN "-01", false, 0},
    {"00-ABCDEF78901234567890123456789012-" SPAN "-01", false, 0},
    {"00-" TRACE "-ABCDEF7890123456-01", false, 0},
    {"00-" TRACE "-.234567890123456-01", false, 0},
    {"00-" TRACE "0-" SPAN "-01", false, 0},
    {"00-1234567890123456789012345678901-" SPAN "-01", false, 0},
    {"00-" TRACE "-" SPAN "7-01", false, 0},
    {"00-" TRACE "-123456789012345-01", false, 0},
    /* flags */
    {"00-" TRACE "-" SPAN "-0", false, 0},
    {"00-" TRACE "-" SPAN "-", false, 0},
    {"00-" TRACE "-" SPAN, false, 0},
    {"00-" TRACE "-" SPAN "-.0", false, 0},
    {"00-" TRACE "-" SPAN "-0.", false, 0},
    {"00-" TRACE "-" SPAN "-0A", false, 0},
    {"00-" TRACE "-" SPAN "-001", false, 0},
    /* white space is for who reads headers to take away */
    {" 00-" TRACE "-" SPAN "-01", false, 0},
    {"00-" TRACE "-" SPAN "-01 ", false, 0},
    {"", false, 0},
    {"00", false, 0},
    {"00-", false, 0},
};

static void parse(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pdk_traceparent read, before;
        memset(&read, 0xAA, sizeof read);
        before = read;
        int32_t rc = pdk_traceparent_parse(cases[i].text, &read);
        if (rc != (cases[i].good ? 0 : -EINVAL)) fail_msg("%s: %d", cases[i].text, rc);
        if (cases[i].good) assert_int_equal(read.flags, cases[i].flags);
        if (!cases[i].good) assert_memory_equal(&read, &before, sizeof read);
    }
}

/* Of one that is cut anywhere nothing is read behind its end. */
static void cut_short(void **state) {
    static const char whole[] = "cc-" TRACE "-" SPAN "-01-more";
    (void)state;
    for (size_t size = 0; size < 55; size++) {
        struct pdk_traceparent read;
        char *text = strndup(whole, size);
        assert_int_equal(pdk_traceparent_parse(text, &read), -EINVAL);
        free(text);
    }
}

static void what_is_too_long(void **state) {
    char text[PDK_TRACEPARENT_MAX + 2];
    struct pdk_traceparent read;
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "01-" TRACE "-" SPAN "-01-", 56);
    text[PDK_TRACEPARENT_MAX] = '\0';
    assert_int_equal(pdk_traceparent_parse(text, &read), 0);
    text[PDK_TRACEPARENT_MAX] = 'x';
    text[PDK_TRACEPARENT_MAX + 1] = '\0';
    assert_int_equal(pdk_traceparent_parse(text, &read), -EINVAL);
}

static void format(void **state) {
    char text[PDK_TRACEPARENT_SIZE];
    struct pdk_traceparent read;
    (void)state;
    assert_int_equal(pdk_traceparent_parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", &read), 0);
    assert_int_equal(read.trace_id[0], 0x0a);
    assert_int_equal(read.span_id[7], 0x31);
    assert_string_equal(pdk_traceparent_format(&read, text), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}

static void tracestate(void **state) {
    char text[514];
    (void)state;
    assert_true(pdk_tracestate_valid("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
    assert_false(pdk_tracestate_valid(""));
    assert_false(pdk_tracestate_valid("a=b\n"));
    assert_false(pdk_tracestate_valid("a=\xc3\xa9"));
    memset(text, 'a', sizeof text);
    text[513] = '\0';
    assert_false(pdk_tracestate_valid(text));
    text[512] = '\0';
    assert_true(pdk_tracestate_valid(text));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(parse), cmocka_unit_test(cut_short),
                                       cmocka_unit_test(what_is_too_long), cmocka_unit_test(format),
                                       cmocka_unit_test(tracestate)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
