/* SPDX-License-Identifier: Apache-2.0 */
/* The loops that this example can be run with. A program of yours has one, and needs no table of them. */
#ifndef LOOPS_H
#define LOOPS_H

#include <paddock/supervisor.h>

struct loop_kind {
    const char *name;
    void *(*create)(pdk_supervisor_options *options); /* makes the loop, and says so in options; NULL: it failed */
    void (*turn)(void *loop);
    void (*destroy)(void *loop);
};

const struct loop_kind *loop_named(const char *name); /* NULL: there is none */

#endif
