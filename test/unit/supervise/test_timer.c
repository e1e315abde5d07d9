/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of timers, against a list that is searched. */
#include "support/unit.h"

#include "core/supervise/timer.h"

enum { COUNT = 500, ROUNDS = 20000 };

static struct {
    struct pdk_timer timer;
    uint64_t order;
} all[COUNT];

static struct pdk_timer *first_of_list(void) {
    size_t best = COUNT;
    for (size_t i = 0; i < COUNT; i++) {
        if (!pdk_timer_runs(&all[i].timer)) continue;
        if (best == COUNT || all[i].timer.due < all[best].timer.due ||
            (all[i].timer.due == all[best].timer.due && all[i].order < all[best].order))
            best = i;
    }
    return best == COUNT ? NULL : &all[best].timer;
}

static void as_a_list_would(void **state) {
    struct pdk_timers timers = {0};
    uint64_t dice = 3;
    (void)state;
    assert_int_equal(pdk_timers_reserve(&timers, COUNT), 0);
    for (int i = 0; i < ROUNDS; i++) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        size_t which = (dice >> 33) % COUNT;
        if ((dice >> 50) % 3) {
            all[which].order = which;
            pdk_timer_start(&timers, &all[which].timer, (dice >> 20) % 50, which); /* many due at one time */
        } else {
            pdk_timer_stop(&timers, &all[which].timer);
        }
        assert_ptr_equal(pdk_timers_first(&timers), first_of_list());
    }
    for (struct pdk_timer *first = pdk_timers_first(&timers); first; first = pdk_timers_first(&timers)) {
        assert_ptr_equal(first, first_of_list());
        pdk_timer_stop(&timers, first);
    }
    assert_int_equal(timers.count, 0);
    pdk_timers_free(&timers);
}

static void stopping_twice_is_harmless(void **state) {
    struct pdk_timers timers = {0};
    struct pdk_timer timer = {0};
    (void)state;
    assert_int_equal(pdk_timers_reserve(&timers, 1), 0);
    pdk_timer_stop(&timers, &timer);
    pdk_timer_start(&timers, &timer, 5, 1);
    pdk_timer_start(&timers, &timer, 3, 1);
    assert_int_equal(timers.count, 1);
    assert_int_equal(pdk_timers_first(&timers)->due, 3);
    pdk_timer_stop(&timers, &timer);
    pdk_timer_stop(&timers, &timer);
    assert_null(pdk_timers_first(&timers));
    pdk_timers_free(&timers);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_a_list_would), cmocka_unit_test(stopping_twice_is_harmless)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
