/* SPDX-License-Identifier: Apache-2.0 */
/* A host for a pool alone: time stands still until it is moved, descriptors are real, children are made up. */
#ifndef TEST_RRQ_FAKE_H
#define TEST_RRQ_FAKE_H

#include "drive.h"

enum { FAKE_WATCHES = 64, FAKE_POSTS = 16, FAKE_JOBS = 4 };

struct fake {
    pdk_host host;
    pdk_loop loop;
    pdk_process process;
    pdk_pool pool;
    bool has_pool;            /* false: the host has none */
    pdk_job *jobs[FAKE_JOBS]; /* that wait until fake_work */
    uint32_t job_count;
    uint64_t now;
    struct fake_watch {
        pdk_watch handle; /* 0: free */
        int32_t fd;       /* -1: a timer */
        uint32_t events;
        uint64_t due;
        void (*ready)(void *arg, uint32_t events);
        void (*fire)(void *arg);
        void *arg;
    } watches[FAKE_WATCHES];
    pdk_watch next_handle;
    pdk_call *posts[FAKE_POSTS];
    uint32_t post_count;

    /* the last end of an attempt, and how many there were */
    uint32_t done;
    pdk_attempt attempt;
    int32_t status, category;
    uint64_t retry_after;
    char code[64], message[512];

    int32_t health;
    bool stopped;

    /* the child, of which there is one at a time */
    const pdk_child_ops *ops;
    void *child; /* NULL: none */
    char address[32];
    int32_t signal; /* the last it was sent */
    bool killed;
};

void fake_init(struct fake *fake);
/* Posts run, then every descriptor that is ready has its turn. True when something happened. */
bool fake_turn(struct fake *fake);
void fake_settle(struct fake *fake); /* turns until nothing happens */
void fake_advance(struct fake *fake, uint64_t ns);
bool fake_work(struct fake *fake);           /* the first job runs, and is done. false: there is none */
uint32_t fake_left(const struct fake *fake); /* watches */
void fake_stopped(void *fake);               /* for pdk_rrq_pool_stop */

/* A listener on loopback; connections to it never block. */
int fake_listen(uint32_t *ret_port);
int fake_accept(int listener); /* -1: nobody knocks */

#endif
