/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of a selection fails once: nothing leaks, nothing breaks, -ENOMEM comes back. */
#include "plan_help.h"

#include "support/fail_alloc.h"

static int32_t select_all(void *arg) {
    struct pdk_plan *plan = NULL;
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_plan_select(arg, &(struct pdk_selection){0}, &plan, &err);
    pdk_plan_free(plan);
    return rc;
}

static void selecting(void **state) {
    struct pdk_config *config = config_of("tasks:\n"
                                          "  a: {command: x, replicas: 3, labels: {b: c}}\n"
                                          "  b: {command: x, needs: a, after: c}\n"
                                          "  c: {command: x, needs: a}\n");
    (void)state;
    assert_true(pdk_fail_sweep(select_all, config) > 10);
    pdk_config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(selecting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
