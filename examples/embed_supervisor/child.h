/* SPDX-License-Identifier: Apache-2.0 */
/* For adapters of any loop: one child, by its pidfd, and no other child of the process. */
#ifndef CHILD_H
#define CHILD_H

#include <paddock/loop.h>

int32_t child_open(int32_t pid);              /* a pidfd, readable when it has ended; -ECHILD: none of ours */
int child_look(int32_t pidfd, pdk_exit *ret); /* 1: it has ended, and is not reaped yet; 0: it runs */
void child_reap(int32_t pidfd);

#endif
