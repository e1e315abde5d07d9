/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus: what is recorded is printed, in the format, from any thread. */
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plugin_test.h"

#define METRIC(type, name, unit, help, labels, buckets, count) \
    { (uint32_t)sizeof(pdk_metric), type, name, unit, help, labels, buckets, count, 0 }

static const char *const no_values[] = {NULL};
static const char *const runner_label[] = {"runner", NULL};
static const char *const two_labels[] = {"runner", "outcome", NULL};
static const double bounds[] = {0.5, 1, 10};

static const pdk_metric runs = METRIC(PDK_COUNTER, "paddock_runs", "", "Runs that ended", two_labels, NULL, 0);
static const pdk_metric busy = METRIC(PDK_GAUGE, "paddock_slots_busy", "", "Slots that are taken", NULL, NULL, 0);
static const pdk_metric took =
    METRIC(PDK_HISTOGRAM, "paddock_run_duration", "seconds", "How long runs took", runner_label, bounds, 3);

static const pdk_metrics_ops *ops(const pdk_test *m) {
    return pdk_test_plugin(m)->metrics;
}

static pdk_series *series(pdk_test *m, const pdk_metric *metric, const char *a, const char *b) {
    const char *values[] = {a, b, NULL};
    return ops(m)->series(pdk_test_self(m), metric, a ? values : no_values);
}

struct page {
    char *text;
    size_t size, capacity;
};

static void gather(void *arg, const char *data, size_t size) {
    struct page *page = arg;
    if (page->size + size >= page->capacity) {
        page->capacity = (page->size + size + 1) * 2;
        page->text = realloc(page->text, page->capacity);
        assert_non_null(page->text);
    }
    memcpy(page->text + page->size, data, size);
    page->size += size;
    page->text[page->size] = '\0';
}

static char *print(pdk_test *m) {
    struct page page = {NULL, 0, 0};
    gather(&page, "", 0);
    assert_int_equal(ops(m)->print(pdk_test_self(m), gather, &page), 0);
    return page.text;
}

static void prints(pdk_test *m, const char *text) {
    char *page = print(m);
    if (!strstr(page, text)) fail_msg("\"%s\" is not in:\n%s", text, page);
    free(page);
}

static pdk_test *load(void) {
    return load_plugin("prometheus", "{'process': false}", 0);
}

static void the_page_is_as_the_format_wants_it(void **state) {
    pdk_test *m = load();
    pdk_series *duration;
    char *page;
    (void)state;
    ops(m)->add(pdk_test_self(m), series(m, &runs, "web", "succeeded"), 2);
    ops(m)->add(pdk_test_self(m), series(m, &runs, "web", "failed"), 0);
    ops(m)->set(pdk_test_self(m), series(m, &busy, NULL, NULL), 3.25);
    ops(m)->add(pdk_test_self(m), series(m, &busy, NULL, NULL), -4);
    duration = series(m, &took, "web", NULL);
    ops(m)->observe(pdk_test_self(m), duration, 0.5); /* a bound is within its bucket */
    ops(m)->observe(pdk_test_self(m), duration, 0.75);
    ops(m)->observe(pdk_test_self(m), duration, 11);
    page = print(m);
    assert_string_equal(page, "# HELP paddock_runs_total Runs that ended\n"
                              "# TYPE paddock_runs_total counter\n"
                              "paddock_runs_total{runner=\"web\",outcome=\"succeeded\"} 2\n"
                              "paddock_runs_total{runner=\"web\",outcome=\"failed\"} 0\n"
                              "# HELP paddock_slots_busy Slots that are taken\n"
                              "# TYPE paddock_slots_busy gauge\n"
                              "paddock_slots_busy -0.75\n"
                              "# HELP paddock_run_duration_seconds How long runs took\n"
                              "# TYPE paddock_run_duration_seconds histogram\n"
                              "paddock_run_duration_seconds_bucket{runner=\"web\",le=\"0.5\"} 1\n"
                              "paddock_run_duration_seconds_bucket{runner=\"web\",le=\"1\"} 2\n"
                              "paddock_run_duration_seconds_bucket{runner=\"web\",le=\"10\"} 2\n"
                              "paddock_run_duration_seconds_bucket{runner=\"web\",le=\"+Inf\"} 3\n"
                              "paddock_run_duration_seconds_sum{runner=\"web\"} 12.25\n"
                              "paddock_run_duration_seconds_count{runner=\"web\"} 3\n");
    free(page);
    end_plugin(m);
}

static void nothing_recorded_is_an_empty_page(void **state) {
    pdk_test *m = load();
    char *page = print(m);
    (void)state;
    assert_string_equal(page, "");
    free(page);
    end_plugin(m);
}

static void the_same_values_are_the_same_series(void **state) {
    pdk_test *m = load();
    (void)state;
    assert_ptr_equal(series(m, &runs, "a", "b"), series(m, &runs, "a", "b"));
    assert_ptr_not_equal(series(m, &runs, "a", "b"), series(m, &runs, "a", "c"));
    assert_ptr_not_equal(series(m, &runs, "a\",outcome=\"b", ""), series(m, &runs, "a", "b"));
    end_plugin(m);
}

static void names_get_unit_and_total_once(void **state) {
    static const struct {
        int32_t type;
        const char *name, *unit, *full;
    } cases[] = {
        {PDK_COUNTER, "a", "", "\na_total 1\n"},
        {PDK_COUNTER, "b_total", "", "\nb_total 1\n"},
        {PDK_COUNTER, "c", "bytes", "\nc_bytes_total 1\n"},
        {PDK_COUNTER, "d_bytes", "bytes", "\nd_bytes_total 1\n"},
        {PDK_COUNTER, "e_bytes_total", "bytes", "\ne_bytes_total 1\n"},
        {PDK_GAUGE, "f", "seconds", "\nf_seconds 1\n"},
        {PDK_GAUGE, "g_seconds", "seconds", "\ng_seconds 1\n"},
        {PDK_GAUGE, "h_total", "", "\nh_total 1\n"},
        {PDK_GAUGE, "seconds", "seconds", "\nseconds_seconds 1\n"},
    };
    pdk_test *m = load();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const pdk_metric metric = METRIC(cases[i].type, cases[i].name, cases[i].unit, "", NULL, NULL, 0);
        ops(m)->add(pdk_test_self(m), series(m, &metric, NULL, NULL), 1);
        prints(m, cases[i].full);
    }
    end_plugin(m);
}

static void text_is_escaped(void **state) {
    const pdk_metric metric = METRIC(PDK_GAUGE, "g", "", "two\nlines, a \\ and \"quotes\"", runner_label, NULL, 0);
    pdk_test *m = load();
    char longest[1000];
    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    (void)series(m, &metric, "a\"b\\c\nd", NULL);
    prints(m, "# HELP g two\\nlines, a \\\\ and \"quotes\"\n");
    prints(m, "g{runner=\"a\\\"b\\\\c\\nd\"} 0\n");
    (void)series(m, &metric, "caf\xc3\xa9 \xff\xc3 \xed\xa0\x80", NULL);
    prints(m, "g{runner=\"caf\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"} 0\n");
    (void)series(m, &metric, longest, NULL);
    longest[512] = '\0';
    prints(m, longest);
    end_plugin(m);
}

static void numbers_are_short_and_without_locale(void **state) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.1, "busy 0.1\n"},
        {1e15, "busy 1e+15\n"},
        {123456789, "busy 123456789\n"},
        {1.0 / 3, "busy 0.333333333333333"},
        {INFINITY, "busy +Inf\n"},
        {-INFINITY, "busy -Inf\n"},
        {NAN, "busy NaN\n"},
        {-0.0, "busy 0\n"},
    };
    pdk_test *m = load();
    (void)state;
    (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* where there is one, its points are commas */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ops(m)->set(pdk_test_self(m), series(m, &busy, NULL, NULL), cases[i].value);
        prints(m, cases[i].text);
    }
    (void)setlocale(LC_ALL, "C");
    end_plugin(m);
}

static void what_would_spoil_a_series_is_ignored(void **state) {
    pdk_test *m = load();
    pdk_series *counter = series(m, &runs, "a", "b"), *histogram = series(m, &took, "a", NULL);
    pdk_series *gauge = series(m, &busy, NULL, NULL);
    (void)state;
    ops(m)->add(pdk_test_self(m), counter, 1);
    ops(m)->add(pdk_test_self(m), counter, -1);
    ops(m)->add(pdk_test_self(m), counter, NAN);
    ops(m)->set(pdk_test_self(m), counter, 7);
    ops(m)->observe(pdk_test_self(m), counter, 7);
    ops(m)->observe(pdk_test_self(m), histogram, NAN);
    ops(m)->add(pdk_test_self(m), histogram, 1);
    ops(m)->observe(pdk_test_self(m), gauge, 1);
    ops(m)->add(pdk_test_self(m), NULL, 1);
    ops(m)->set(pdk_test_self(m), NULL, 1);
    ops(m)->observe(pdk_test_self(m), NULL, 1);
    prints(m, "paddock_runs_total{runner=\"a\",outcome=\"b\"} 1\n");
    prints(m, "_count{runner=\"a\"} 0\n");
    prints(m, "_sum{runner=\"a\"} 0\n");
    prints(m, "paddock_slots_busy 0\n");
    end_plugin(m);
}

static void a_histogram_without_buckets_has_ours(void **state) {
    const pdk_metric metric = METRIC(PDK_HISTOGRAM, "h", "", "", NULL, NULL, 0);
    pdk_test *m = load();
    (void)state;
    ops(m)->observe(pdk_test_self(m), series(m, &metric, NULL, NULL), 100);
    prints(m, "h_bucket{le=\"60\"} 0\nh_bucket{le=\"120\"} 1\n");
    prints(m, "h_bucket{le=\"3600\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 100\nh_count 1\n");
    end_plugin(m);
}

static void a_metric_that_is_none_is_refused_with_a_word(void **state) {
    static const char *const seventeen[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                            "j", "k", "l", "m", "n", "o", "p", "q", NULL};
    static const char *const le[] = {"le", NULL}, *const reserved[] = {"__a", NULL}, *const dash[] = {"a-b", NULL};
    static const double falling[] = {2, 1}, endless[] = {1, INFINITY};
    static const pdk_metric wrong[] = {
        METRIC(PDK_COUNTER, "a-b", "", "", NULL, NULL, 0),
        METRIC(PDK_COUNTER, "1a", "", "", NULL, NULL, 0),
        METRIC(PDK_COUNTER, "", "", "", dash, NULL, 0),
        METRIC(9, "type", "", "", NULL, NULL, 0),
        METRIC(PDK_HISTOGRAM, "falling", "", "", NULL, falling, 2),
        METRIC(PDK_HISTOGRAM, "endless", "", "", NULL, endless, 2),
        METRIC(PDK_GAUGE, "le", "", "", le, NULL, 0),
        METRIC(PDK_GAUGE, "reserved", "", "", reserved, NULL, 0),
        METRIC(PDK_GAUGE, "dash", "", "", dash, NULL, 0),
        METRIC(PDK_GAUGE, "many", "", "", seventeen, NULL, 0),
        METRIC(PDK_GAUGE, "paddock_runs_total", "", "", two_labels, NULL, 0), /* of another type */
        METRIC(PDK_COUNTER, "paddock_runs", "", "", runner_label, NULL, 0),   /* with other labels */
    };
    const char *const values[] = {"", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", NULL};
    pdk_test *m = load();
    (void)state;
    assert_non_null(series(m, &runs, "a", "b"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (ops(m)->series(pdk_test_self(m), &wrong[i], values)) fail_msg("%s was taken", wrong[i].name);
    assert_non_null(strstr(pdk_test_log(m), "the metric falling is not recorded: its buckets do not rise"));
    assert_non_null(strstr(pdk_test_log(m), "another of this name has other labels or another type"));
    end_plugin(m);
}

static void series_are_capped(void **state) {
    pdk_test *m = load_plugin("prometheus", "{'max_series': 3, 'process': false}", 0);
    char *first;
    (void)state;
    for (int i = 0; i < 10; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "r%d", i);
        assert_int_equal(series(m, &took, name, NULL) != NULL, i < 3);
    }
    assert_non_null(series(m, &took, "r1", NULL)); /* those that are there stay */
    assert_non_null(series(m, &busy, NULL, NULL)); /* and other metrics have room of their own */
    prints(m, "# TYPE paddock_metrics_series_refused_total counter\n"
              "paddock_metrics_series_refused_total{metric=\"paddock_run_duration_seconds\"} 7\n");
    first = strstr(pdk_test_log(m), "max_series");
    assert_non_null(first);
    assert_null(strstr(first + 1, "max_series")); /* once */
    end_plugin(m);
}

static void many_series_are_found_again(void **state) {
    enum { MANY = 20000 };
    pdk_test *m = load_plugin("prometheus", "{'max_series': 20000, 'process': false}", 0);
    pdk_series **all = calloc(MANY, sizeof(*all));
    char *page;
    (void)state;
    assert_non_null(all);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            char name[16];
            pdk_series *s;
            (void)snprintf(name, sizeof name, "%d", i);
            s = series(m, &runs, name, "x");
            if (round) assert_ptr_equal(s, all[i]);
            all[i] = s;
            if (!round) ops(m)->add(pdk_test_self(m), s, 1);
        }
    }
    page = print(m);
    assert_null(strstr(page, " 2\n")); /* no two of them are one */
    free(page);
    free(all);
    end_plugin(m);
}

/* ---- threads ---- */

enum { THREADS = 4, TIMES = 200000 };

static void *record(void *arg) {
    pdk_test *m = arg;
    pdk_series *counter = series(m, &runs, "all", "x"), *histogram = series(m, &took, "all", NULL);
    for (int i = 0; i < TIMES; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i % 100);
        if (i % 1000 == 0) ops(m)->add(pdk_test_self(m), series(m, &runs, name, "x"), 1);
        ops(m)->add(pdk_test_self(m), counter, 1);
        ops(m)->observe(pdk_test_self(m), histogram, 0.75);
    }
    return NULL;
}

static void threads_lose_nothing(void **state) {
    pdk_test *m = load();
    pthread_t threads[THREADS];
    char text[128];
    (void)state;
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, record, m), 0);
    for (int i = 0; i < 50; i++) free(print(m)); /* while they record */
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)snprintf(text, sizeof text, "{runner=\"all\",outcome=\"x\"} %d\n", THREADS * TIMES);
    prints(m, text);
    (void)snprintf(text, sizeof text, "_sum{runner=\"all\"} %d\n", THREADS * TIMES * 3 / 4);
    prints(m, text);
    (void)snprintf(text, sizeof text, "_bucket{runner=\"all\",le=\"1\"} %d\n", THREADS * TIMES);
    prints(m, text);
    end_plugin(m);
}

/* ---- what others say of it ---- */

static void promtool_finds_no_fault(void **state) {
    pdk_test *m = load_plugin("prometheus", NULL, 0);
    bool there = !access("/usr/bin/promtool", X_OK);
    char *page;
    FILE *tool;
    (void)state;
    if (!there && getenv("CI")) fail_msg("promtool is missing: install the package prometheus");
    if (!there) {
        end_plugin(m);
        skip();
    }
    ops(m)->add(pdk_test_self(m), series(m, &runs, "a \"quoted\" \\ one\n", "caf\xc3\xa9"), 1);
    ops(m)->set(pdk_test_self(m), series(m, &busy, NULL, NULL), NAN);
    ops(m)->observe(pdk_test_self(m), series(m, &took, "web", NULL), 1e-9);
    page = print(m);
    assert_non_null(strstr(page, "\nprocess_cpu_seconds_total "));
    assert_non_null(strstr(page, "\nprocess_open_fds "));
    assert_non_null(strstr(page, "\nprocess_start_time_seconds 1"));
    tool = popen("promtool check metrics >&2", "we");
    assert_non_null(tool);
    assert_int_equal(fputs(page, tool) < 0, 0);
    assert_int_equal(pclose(tool), 0);
    free(page);
    end_plugin(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_as_the_format_wants_it),
        cmocka_unit_test(nothing_recorded_is_an_empty_page),
        cmocka_unit_test(the_same_values_are_the_same_series),
        cmocka_unit_test(names_get_unit_and_total_once),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(numbers_are_short_and_without_locale),
        cmocka_unit_test(what_would_spoil_a_series_is_ignored),
        cmocka_unit_test(a_histogram_without_buckets_has_ours),
        cmocka_unit_test(a_metric_that_is_none_is_refused_with_a_word),
        cmocka_unit_test(series_are_capped),
        cmocka_unit_test(many_series_are_found_again),
        cmocka_unit_test(threads_lose_nothing),
        cmocka_unit_test(promtool_finds_no_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
