/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard output and error, written by threads of their own, so that a reader who is slow or gone never holds the
 * loop. Where both lead to the same file or terminal one thread writes both, in order.
 */
#ifndef CORE_CLI_SINK_H
#define CORE_CLI_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "paddock/loop.h"

struct pdk_sink;

/* What tasks print waits up to this; beyond it is dropped. Our own words have the same room once more. */
#define PDK_SINK_LIMIT (8u << 20)

/* failed: writing to fd ended with this errno; what follows for it is thrown away. [main], once for each. */
int32_t pdk_sink_create(const pdk_loop *loop, void (*failed)(void *arg, int fd, int error), void *arg,
                        struct pdk_sink **ret);

/* fd is 1 or 2. droppable: what tasks print. False: there was no room. [main] */
bool pdk_sink_write(struct pdk_sink *sink, int fd, const char *data, size_t size, bool droppable);

/* Bytes that wait for fd. */
size_t pdk_sink_waiting(struct pdk_sink *sink, int fd);

/* Write what waits, however long it takes, and end the threads. A failure may have been posted until then, so the loop
 * has to turn once more before free, which writes what was said meanwhile. NULL is fine. */
void pdk_sink_end(struct pdk_sink *sink);
void pdk_sink_free(struct pdk_sink *sink);

#endif
