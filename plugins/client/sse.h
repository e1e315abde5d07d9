/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events, as the HTML standard has them, read from bytes that come in pieces of any size. */
#ifndef PLUGIN_CLIENT_SSE_H
#define PLUGIN_CLIENT_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_LINE_MAX ((size_t)8 << 20) /* of a line, and of an event's data */
#define CLIENT_ID_MAX   256u
#define CLIENT_TYPE_MAX 64u

/* Not 0: enough. data ends in NUL. */
typedef int32_t (*client_sse_event)(void *arg, const char *type, const char *id, const char *data, size_t size);

struct client_text {
    char *data;
    size_t size, capacity;
};

/* Zeroed, but for each and arg, it is at the start of a stream; to go on behind an id, set that and restart. */
struct client_sse {
    client_sse_event each;
    void *arg;
    struct client_text line, data;
    char id[CLIENT_ID_MAX]; /* of the last event that was whole */
    char next_id[CLIENT_ID_MAX], type[CLIENT_TYPE_MAX];
    bool has_data, after_return, begun;
};

/* 0; what `each` gave if that is not 0; -E2BIG, -ENOMEM: of no use any more. */
int32_t client_sse_read(struct client_sse *sse, const char *data, size_t size);

/* A new stream begins, and goes on behind the last id. */
void client_sse_restart(struct client_sse *sse);
void client_sse_free(struct client_sse *sse);

#endif
