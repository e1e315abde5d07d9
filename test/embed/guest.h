/* SPDX-License-Identifier: Apache-2.0 */
/* A supervisor as a guest in this program, with the runner of commands from its file. */
#ifndef TEST_EMBED_GUEST_H
#define TEST_EMBED_GUEST_H

#include "paddock/supervisor.h"
#include "support/unit.h"

struct guest {
    pdk_supervisor *supervisor;
    int open, stopped;
    int succeeded, failed;
    int32_t exit_code; /* of the last that failed */
    char message[128];
    void (*meanwhile)(void *arg); /* with each outcome; NULL: nothing */
    void *arg;
};

/* loop and ev_loop as in pdk_supervisor_options. */
void guest_create(struct guest *guest, const pdk_loop *loop, void *ev_loop);

/* script: for sh -c */
void guest_submit(struct guest *guest, const char *name, const char *script);
void guest_destroy(struct guest *guest);

/* Two that succeed, one of which prints, and one that ends with 7; on a loop of its own, from begin to end. */
void guest_visit(struct guest *guest);

#endif
