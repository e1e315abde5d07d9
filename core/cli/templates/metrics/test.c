/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of @NAME@ in a host of their own: <paddock/testhost.h>. Beside what is asked for here, every rule of the
 * plugin's headers is watched, and what is broken makes pdk_test_end answer how often.
 *
 *     plugin-test PLUGIN.so
 */
#include <paddock/testhost.h>
#include <string.h>

static const char *const names[] = {"outcome", NULL};
static const char *const good[] = {"succeeded", NULL};
static const pdk_metric runs = {sizeof runs, PDK_COUNTER, .name = "runs", .unit = "", .help = "", .labels = names};
static const pdk_metric depth = {sizeof depth, PDK_GAUGE, .name = "depth", .unit = "", .help = ""};
static const pdk_metric duration = {sizeof duration, PDK_HISTOGRAM, .name = "duration", .unit = "seconds", .help = ""};

static void test_keeps_and_prints(pdk_test *t) {
    pdk_series *series = pdk_test_series(t, &runs, good);
    pdk_test_add(t, series, 1);
    pdk_test_add(t, pdk_test_series(t, &runs, good), 2);
    pdk_test_set(t, pdk_test_series(t, &depth, NULL), 7);
    pdk_test_observe(t, pdk_test_series(t, &duration, NULL), 0.5);
    pdk_test_observe(t, pdk_test_series(t, &duration, NULL), 0.25);
    PDK_TEST(t, series == pdk_test_series(t, &runs, good));
    PDK_TEST(t, strcmp(pdk_test_page(t), "runs{outcome=\"succeeded\"} 3\ndepth 7\nduration 0.75 in 2\n") == 0);
}

int main(int argc, char **argv) {
    pdk_test *t = pdk_test_load(argc > 1 ? argv[1] : "build/@NAME@.so", NULL, NULL);
    test_keeps_and_prints(t);
    return pdk_test_end(t);
}
