/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for one child by its pidfd, and for no other. */
#ifndef CORE_LOOP_WAIT_H
#define CORE_LOOP_WAIT_H

#include <stdbool.h>

#include "paddock/loop.h"

/* A pidfd for a child of ours: an fd, or a negative errno; -ECHILD when it is nobody we could wait for. */
int32_t pdk_wait_open(int32_t pid);

/* How it ended, without reaping it. False: it runs. */
bool pdk_wait_look(int32_t pidfd, pdk_exit *ret);

void pdk_wait_reap(int32_t pidfd);

/* The same from what waitpid told somebody else; the usage is not known. */
void pdk_wait_told(int status, pdk_exit *ret);

#endif
