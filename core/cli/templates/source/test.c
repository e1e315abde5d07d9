/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of @NAME@ in a host of their own: <paddock/testhost.h>. Its time stands still until it is moved, and the test
 * says what becomes of a delivery. Beside what is asked for here, every rule of the plugin's headers is watched, and
 * what is broken makes pdk_test_end answer how often.
 *
 *     plugin-test PLUGIN.so
 */
#include <errno.h>
#include <paddock/testhost.h>
#include <string.h>

/* One second between messages. */
static pdk_test *open_host(const char *path) {
    const pdk_test_options options = PDK_TEST_OPTIONS(0, "{'every': '1s', 'count': 2, 'task': {'command': 'true'}}");
    pdk_test *t = pdk_test_load(path, &options, NULL);
    PDK_TEST(t, pdk_test_open(t, NULL) == 0);
    PDK_TEST(t, pdk_test_health(t, NULL) == PDK_UP);
    return t;
}

static int test_brings_and_settles(const char *path) {
    pdk_test *t = open_host(path);
    pdk_test_advance(t, 10 * PDK_SECOND);
    PDK_TEST(t, pdk_test_deliveries(t) == 2);
    PDK_TEST(t, pdk_test_timers(t) == 0);
    pdk_test_settle(pdk_test_delivery_at(t, 0), PDK_END_SUCCEEDED, NULL);
    pdk_test_settle(pdk_test_delivery_at(t, 1), PDK_END_FAILED, NULL);
    PDK_TEST(t, strstr(pdk_test_log(t), "message 1 is done") != NULL);
    PDK_TEST(t, strstr(pdk_test_log(t), "message 2 has failed") != NULL);
    return pdk_test_end(t);
}

/* No message is lost for lack of room. */
static int test_waits_for_room(const char *path) {
    pdk_test *t = open_host(path);
    pdk_test_room(t, 1);
    pdk_test_advance(t, 10 * PDK_SECOND);
    PDK_TEST(t, pdk_test_deliveries(t) == 1);
    pdk_test_room(t, 1);
    pdk_test_advance(t, 10 * PDK_SECOND);
    PDK_TEST(t, pdk_test_deliveries(t) == 2);
    return pdk_test_end(t);
}

/* What has not ended when the host goes down is not acknowledged. */
static int test_hands_back(const char *path) {
    pdk_test *t = open_host(path);
    pdk_test_advance(t, PDK_SECOND);
    PDK_TEST(t, pdk_test_deliveries(t) == 1);
    PDK_TEST(t, pdk_test_close(t) == 0);
    PDK_TEST(t, strstr(pdk_test_log(t), "message 1 is handed back") != NULL);
    return pdk_test_end(t);
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "build/@NAME@.so";
    return test_brings_and_settles(path) + test_waits_for_room(path) + test_hands_back(path);
}
