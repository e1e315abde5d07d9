/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry allows its process: had, or an error; never ignored. */
#include "isolate/world.h"

#include <unistd.h>

#include "core/base/clock.h"
#include "core/isolate/jail.h"

static const char bad[] = BAD_PLUGINS "/bad.so", subprocess[] = PLUGINS "/subprocess.so";

/* A sanitizer wants more memory than any limit that is worth a test. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static bool isolate(struct world *world, const char *file, const struct pdk_isolation *isolation) {
    pdk_error err = PDK_ERROR;
    if (world_isolate(world, file, NULL, NULL, isolation, true, &err) == 0) return true;
    if (!strstr(err.message, "could not be started")) fail_msg("%s", err.message);
    print_message("SKIPPED: %s\n", err.message);
    if (getenv("CI")) fail_msg("%s", err.message);
    return false;
}

static void memory(void **state) {
    struct pdk_isolation isolation = world_isolation();
    isolation.resources.memory = 48 << 20;
    (void)state;
    struct world *world = world_begin();
    if (!SANITIZED && isolate(world, bad, &isolation)) {
        world_start(world);
        for (int i = 0; i < 2; i++) {
            const struct world_run *run =
                world_submit(world, "{'name': 'hog', 'kind': 'bad', 'with': {'how': 'hog'}}", 0);
            world_until(world, run->settled);
            assert_string_equal(run->code, "plugin_gone");
            assert_non_null(strstr(run->message, "killed by SIGKILL at its limit of memory"));
        }
    }
    world_end(world);
}

static void user_and_calls(void **state) {
    struct pdk_isolation isolation = world_isolation();
    const char *const calls[] = {"default", "mkdir", "mkdirat", NULL};
    isolation.user = "nobody";
    isolation.nofile = 200;
    isolation.seccomp = calls;
    (void)state;
    if (SANITIZED || geteuid() != 0) {
        print_message("SKIPPED: needs root, and no sanitizer\n");
        return;
    }
    struct world *world = world_begin();
    assert_true(isolate(world, subprocess, &isolation));
    world_start(world);
    const struct world_run *run = world_submit(
        world,
        "{'name': 'who', 'kind': 'subprocess', 'command': 'id -un; ulimit -n; mkdir /tmp/$$ 2>&1 | grep -o Operation; "
        "unshare -U true 2>&1 | grep -o Operation; grep -E ^NoNewPrivs /proc/self/status | grep -o 1'}",
        0);
    world_until(world, run->settled);
    world_until(world, world_count(world->out, "\n") == 5);
    assert_string_equal(world->out, "nobody\n200\nOperation\nOperation\n1\n");
    world_end(world);
}

static void what_cannot_be_had(void **state) {
    struct pdk_isolation isolation = world_isolation();
    struct pdk_jail jail;
    pdk_error err = PDK_ERROR;
    const char *const unknown[] = {"default", "ptrase", NULL}, *const vital[] = {"execve", NULL};
    (void)state;
    isolation.user = "no-such-user";
    assert_int_equal(pdk_jail_make(&isolation, &jail, &err), -ENOENT);
    assert_string_equal(err.message, "there is no user \"no-such-user\"");
    isolation.user = "root:no-such-group";
    assert_int_equal(pdk_jail_make(&isolation, &jail, &err), -ENOENT);
    assert_string_equal(err.message, "there is no group \"no-such-group\"");
    isolation.user = NULL;
    isolation.seccomp = unknown;
    assert_int_equal(pdk_jail_make(&isolation, &jail, &err), -EINVAL);
    assert_string_equal(err.message, "there is no system call \"ptrase\"");
    assert_string_equal(err.hint, "did you mean \"ptrace\"?");
    isolation.seccomp = vital;
    assert_int_equal(pdk_jail_make(&isolation, &jail, &err), -EINVAL);
    assert_string_equal(err.message, "without execve nothing runs");
}

/* A process that may hold fewer descriptors than it needs says so before anything runs. */
static void too_little_is_told(void **state) {
    struct pdk_isolation isolation = world_isolation();
    pdk_error err = PDK_ERROR;
    isolation.resources.pids = 1;
    (void)state;
    struct world *world = world_begin();
    int32_t rc = world_isolate(world, subprocess, NULL, NULL, &isolation, true, &err);
    assert_int_equal(rc, -EIO);
    assert_non_null(strstr(err.message, "the plugin's process "));
    world_end(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory),
        cmocka_unit_test(user_and_calls),
        cmocka_unit_test(what_cannot_be_had),
        cmocka_unit_test(too_little_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
