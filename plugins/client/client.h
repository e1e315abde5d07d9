/* SPDX-License-Identifier: Apache-2.0 */
/* One connection is one handle of libcurl: connection.c sets it up, transfer.c moves the bytes, sse.c reads streams. */
#ifndef PLUGIN_CLIENT_CLIENT_H
#define PLUGIN_CLIENT_CLIENT_H

#include <curl/curl.h>
#include <stdbool.h>

#include "paddock/client.h"
#include "paddock/helpers.h"
#include "sse.h"

#define CLIENT_SECOND     UINT64_C(1000000000)
#define CLIENT_ANSWER_MAX ((size_t)64 << 20)
#define CLIENT_URL_MAX    8192u

struct pdk_connection {
    CURL *easy;
    CURLM *multi;
    pdk_client_options options; /* its texts are ours */
    char *texts[6];
    char base[300];           /* of URLs: "http://localhost" */
    struct curl_slist *lines; /* headers of the question that is on */
    char why[CURL_ERROR_SIZE];

    /* the answer */
    char *data;
    size_t size, capacity;
    char type[64];
    bool too_large, no_memory;

    /* the stream that is on, else NULL */
    struct client_sse *sse;
    bool streams; /* its status is 200: what comes are events */
};

extern const pdk_client client_table;

/* connection.c: a question ready to be sent. -E2BIG: the path is too long; -ENOMEM. */
int32_t client_ask(struct pdk_connection *connection, const char *method, const char *path, const char *body,
                   size_t size, pdk_error *err);
int32_t client_add_line(struct pdk_connection *connection, const char *line);

/* transfer.c: send it, and wait for its end. */
int32_t client_transfer(struct pdk_connection *connection, pdk_error *err);
/* Wait so long. -ECANCELED: watch said so. */
int32_t client_pause(struct pdk_connection *connection, uint64_t ns);
int32_t client_get_answer(struct pdk_connection *connection, pdk_client_answer *ret);
size_t client_on_data(char *data, size_t size, size_t count, void *arg);

#endif
