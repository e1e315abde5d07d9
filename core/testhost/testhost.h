/* SPDX-License-Identifier: Apache-2.0 */
/* What core/verify asks of the test host beside paddock/testhost.h. */
#ifndef CORE_TESTHOST_TESTHOST_H
#define CORE_TESTHOST_TESTHOST_H

#include <stdbool.h>

#include "paddock/testhost.h"

struct pdk_test_tuning {
    char *where;          /* gets the name of each call of the plugin while it runs; 64 bytes; NULL: nobody wants it */
    uint64_t patience_ns; /* of waits; 0: a minute */
    uint64_t slow_ns;     /* how long a call on the main thread may take; 0: a second */
    bool quiet;           /* a wait in vain is no failed expectation */
};

/* pdk_test_load, tuned. */
pdk_test *pdk_test_load_tuned(const char *path, const pdk_test_options *options, const struct pdk_test_tuning *tuning,
                              pdk_error *err);

/* Nanoseconds of the wall's time, from some point on. */
uint64_t pdk_test_wall(void);

/* Something happens, whatever is next. False: nothing is left that could. */
bool pdk_test_step(pdk_test *t);

#endif
