/* SPDX-License-Identifier: Apache-2.0 */
/* Where we are among cgroups, read from what /proc says on machines other than this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/process/hierarchy.h"

#define MEMORY (1u << PDK_CGROUP_MEMORY)
#define PIDS   (1u << PDK_CGROUP_PIDS)
#define CPU    (1u << PDK_CGROUP_CPU)

static void test_unified(void **state) {
    (void)state;
    struct pdk_hierarchy found[PDK_HIERARCHIES];
    assert_int_equal(pdk_hierarchies_parse("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                           "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
                                           "0::/system.slice/paddock.service\n", found),
                     1);
    assert_int_equal(found[0].version, 2);
    assert_string_equal(found[0].path, "/sys/fs/cgroup/system.slice/paddock.service");
}

static void test_hybrid(void **state) {
    (void)state;
    struct pdk_hierarchy found[PDK_HIERARCHIES];
    assert_int_equal(
        pdk_hierarchies_parse("31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 - cgroup cgroup rw,cpu,cpuacct\n"
                              "32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                              "33 30 0:29 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
                              "34 30 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
                              "35 30 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup rw\n",
                              "5:pids:/a\n4:freezer:/f\n3:memory:/b\n2:cpu,cpuacct:/c\n0::/d\n", found),
        4);
    assert_int_equal(found[0].version, 2);
    assert_string_equal(found[0].path, "/sys/fs/cgroup/unified/d");
    assert_int_equal(found[1].controllers, CPU);
    assert_string_equal(found[1].path, "/sys/fs/cgroup/cpu,cpuacct/c");
    assert_int_equal(found[2].controllers, MEMORY);
    assert_string_equal(found[2].path, "/sys/fs/cgroup/memory/b");
    assert_int_equal(found[3].controllers, PIDS);
    assert_string_equal(found[3].path, "/sys/fs/cgroup/pids/a");
}

/* In a container the mount shows only a part, and our path is told from the top. */
static void test_part_of_a_hierarchy(void **state) {
    (void)state;
    struct pdk_hierarchy found[PDK_HIERARCHIES];
    const char *mounts = "32 30 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
    assert_int_equal(pdk_hierarchies_parse(mounts, "3:memory:/docker/abc/inner\n", found), 1);
    assert_string_equal(found[0].path, "/sys/fs/cgroup/memory/inner");
    assert_int_equal(pdk_hierarchies_parse(mounts, "3:memory:/elsewhere\n", found), 0);
}

static void test_nothing_and_nonsense(void **state) {
    (void)state;
    struct pdk_hierarchy found[PDK_HIERARCHIES];
    assert_int_equal(pdk_hierarchies_parse("", "", found), 0);
    assert_int_equal(pdk_hierarchies_parse("- cgroup2\n\n - \n1 2 3 4 5 - cgroup2\n", "0::\n:::\n", found), 0);
    assert_int_equal(pdk_hierarchies_parse("30 22 0:26 / /cg rw - cgroup2 cgroup2 rw\n", "3:memory:/x\n", found), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unified),
        cmocka_unit_test(test_hybrid),
        cmocka_unit_test(test_part_of_a_hierarchy),
        cmocka_unit_test(test_nothing_and_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
