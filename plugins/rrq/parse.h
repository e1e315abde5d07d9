/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of many megabytes take as long to parse as thousands of small ones, so a thread of the host's pool does it
 * while the loop goes on. Knows no connection: whoever reads one waits with the rest of it until the value is there.
 */
#ifndef RRQ_PARSE_H
#define RRQ_PARSE_H

#include <stdbool.h>

#include <paddock/helpers.h>
#include <paddock/loop.h>

#include "buffer.h"
#include "frame.h"

enum { PDK_RRQ_LARGE = 256 * 1024 }; /* bytes of a frame, from which on it is not parsed on the loop */

/* Those of an instance that are not over. */
struct pdk_rrq_parses {
    const pdk_host *host;
    const pdk_pool *pool; /* NULL: there is none, and nothing is large */
    uint32_t count;
    void (*over)(void *arg); /* [main] after each; NULL: nobody asks */
    void *arg;
};

struct pdk_rrq_parse; /* one */

/* On the loop. value is NULL if it is no JSON: then err says why. Both are lent. */
typedef void pdk_rrq_parsed(void *arg, const pdk_value *value, const pdk_error *err, size_t whole);

/* If the frame, the first thing in `in`, is large: its bytes are taken from there, what is behind them stays. NULL: parse
 * it here, because it is small, or because there is no room among the pool's jobs, or no memory. */
struct pdk_rrq_parse *pdk_rrq_parse_begin(struct pdk_rrq_parses *parses, const struct pdk_rrq_frame *frame,
                                          struct pdk_rrq_buffer *in, pdk_rrq_parsed *done, void *arg);
/* Nobody waits for it any more: done is not called. NULL is ignored. */
void pdk_rrq_parse_forget(struct pdk_rrq_parse *parse);

#endif
