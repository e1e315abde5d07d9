/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/client.h - how to ask a running server: paddock.client/1, found by the plugin's get_extension.
 *
 * A connection speaks HTTP to a console, over a UNIX socket or TCP. It belongs to one thread, blocks it, and needs no loop:
 * this is for programs that ask, not for tasks. What may be asked is plugins/console/openapi.yaml.
 */
#ifndef PADDOCK_CLIENT_H
#define PADDOCK_CLIENT_H

#include "host.h"

PDK_BEGIN

#define PDK_CLIENT_1 "paddock.client/1"

/* Texts may be NULL: there is none. They are copied. */
typedef struct pdk_client_options {
    uint32_t struct_size;
    int32_t watch_fd;   /* looked at while we wait; -1: none */
    const char *socket; /* path of a UNIX socket; or */
    const char *server; /* http://HOST:PORT or https://HOST:PORT, without a path */
    const char *token;  /* for server: a bearer token */
    const char *ca;     /* PEM files: who may have signed the server's certificate (NULL: whom the system trusts), */
    const char *certificate; /* and our own */
    const char *key;
    uint64_t connect_ns;   /* how long connecting may take; 0: 10 s */
    uint64_t answer_ns;    /* how long a whole answer may take; 0: 60 s */
    uint64_t reconnect_ns; /* how long a stream that broke off is tried again; 0: not at all */

    /* [same thread, within a call] watch_fd can be read. Not 0: break off, and the call gives -ECANCELED. */
    int32_t (*watch)(void *arg);
    void *arg;
} pdk_client_options;

/* Lives until the next call with its connection. */
typedef struct pdk_client_answer {
    uint32_t struct_size;
    int32_t status;   /* of HTTP */
    const char *type; /* as the server says it, without parameters: "application/json" */
    const char *data; /* ends in NUL */
    size_t size;
} pdk_client_answer;

/* Lives during the call. */
typedef struct pdk_client_event {
    uint32_t struct_size, reserved;
    const char *type; /* "run.ended"; "" when the connection broke off and is tried again: data says why */
    const char *id;   /* the last that was said, or "" */
    const char *data; /* ends in NUL */
    size_t size;
} pdk_client_event;

typedef struct pdk_connection pdk_connection;
typedef struct pdk_client pdk_client;

/*
 * Calls give 0, or a negative errno with its words in err: -ENOENT, -ECONNREFUSED, -EACCES nobody is there, or not for us;
 * -ETIMEDOUT; -EPROTO it does not speak HTTP, or not as we hoped; -ECONNRESET it broke off; -EPERM certificates do not fit;
 * -E2BIG more than 64 MiB; -ECANCELED watch said so; -EINVAL options that make no sense; -ENOMEM. An answer with a status
 * of an error is an answer: 0.
 */
struct pdk_client {
    uint32_t struct_size, reserved;
    void *data; /* the plugin's */

    /* Make a connection. Nothing is sent yet. */
    int32_t (*open)(const pdk_client *, const pdk_client_options *, pdk_connection **ret, pdk_error *);

    /* Ask one question. path: with its query, encoded. body: JSON; NULL: none. */
    int32_t (*request)(pdk_connection *, const char *method, const char *path, const char *body, size_t size,
                       pdk_client_answer *ret, pdk_error *);

    /* Read a stream of server-sent events until `each` returns not 0 (then 0 is given), an event of type `end` came, or it
     * broke off for good. last_id: go on behind that event; NULL: from the start. A status other than 200 is in *ret, and
     * nothing was streamed; else ret->status is 200 and it has no data. */
    int32_t (*follow)(pdk_connection *, const char *path, const char *last_id,
                      int32_t (*each)(void *arg, const pdk_client_event *), void *arg, pdk_client_answer *ret,
                      pdk_error *);

    void (*close)(pdk_connection *); /* NULL is fine */
};

PDK_END
#endif
