/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules of loops are tried with: a loop of some kind, and what was seen. */
#ifndef TEST_EMBED_RULES_H
#define TEST_EMBED_RULES_H

#include "kinds.h"
#include "support/unit.h"

#include <sys/types.h>

#define MICROSECOND UINT64_C(1000)
#define MILLISECOND UINT64_C(1000000)
#define SECOND      UINT64_C(1000000000)

struct seen {
    void *host;
    const pdk_loop *loop;
    pdk_watch watch;
    uint32_t events;
    int count, wanted;
    uint64_t times[8];
    pdk_exit end;
    int fd;
};

extern const struct kind *rules_kind; /* the loop that is tried */

int rules_setup(void **state);
int rules_teardown(void **state);
#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, rules_setup, rules_teardown)

uint64_t rules_now(void);

/* Turn until count is what is wanted. */
void rules_run(struct seen *seen);

/* Turn until nothing is left to be done: all that is ready now has been called. */
void rules_settle(struct seen *seen);

/* Callbacks: arg is a struct seen, of the last three anything. */
void rules_count(void *arg);
void rules_ready(void *arg, uint32_t events);
void rules_never(void *arg);
void rules_never_ready(void *arg, uint32_t events);
void rules_never_ended(void *arg, const pdk_exit *end);

/* A child that ends with this code, or waits to be killed. */
pid_t rules_child(int code, bool waits);

/* The groups of tests. */
int rules_of_fds(void);
int rules_of_timers(void);
int rules_of_children(void);
int rules_of_posts(void);

#endif
