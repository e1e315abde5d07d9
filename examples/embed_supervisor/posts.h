/* SPDX-License-Identifier: Apache-2.0 */
/* For adapters of any loop: the calls that threads have posted, in order. They are linked through host_use[0];
 * host_use[1] says that one waits. */
#ifndef POSTS_H
#define POSTS_H

#include <pthread.h>

#include <paddock/loop.h>

struct posts {
    pthread_mutex_t lock;
    pdk_call *first, **last;
};

void posts_init(struct posts *posts);
void posts_free(struct posts *posts);
int posts_add(struct posts *posts, pdk_call *call); /* [any] 1: there was none, so wake the loop */
void posts_run(struct posts *posts); /* [main] those that wait now; what they post waits for the next time */

#endif
