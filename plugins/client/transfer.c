/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for an answer, with an eye on what the caller watches meanwhile. */
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "client.h"

#define TURN_MS 1000

static int32_t keep(struct pdk_connection *c, const char *data, size_t size) {
    if (size > CLIENT_ANSWER_MAX - c->size) {
        c->too_large = true;
        return -E2BIG;
    }
    if (c->size + size + 1 > c->capacity) {
        size_t capacity = c->capacity ? c->capacity : 4096;
        while (capacity < c->size + size + 1) capacity *= 2;
        char *larger = realloc(c->data, capacity);
        if (!larger) {
            c->no_memory = true;
            return -ENOMEM;
        }
        c->data = larger;
        c->capacity = capacity;
    }
    memcpy(c->data + c->size, data, size);
    c->size += size;
    c->data[c->size] = '\0';
    return 0;
}

/* What is not 200 is an answer, also where a stream was asked for. */
size_t client_on_data(char *data, size_t size, size_t count, void *arg) {
    struct pdk_connection *c = arg;
    long status = 0;
    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    c->streams = c->sse && status == 200;
    int32_t rc = c->streams ? client_sse_read(c->sse, data, size * count) : keep(c, data, size * count);
    if (rc == -E2BIG) c->too_large = true;
    if (rc == -ENOMEM) c->no_memory = true;
    return rc == 0 ? size * count : CURL_WRITEFUNC_ERROR;
}

/* One turn: 0, or -ECANCELED. */
static int32_t wait(struct pdk_connection *c, int ms) {
    struct curl_waitfd watched = {c->options.watch_fd, CURL_WAIT_POLLIN, 0};
    bool watches = c->options.watch_fd >= 0 && c->options.watch;
    if (curl_multi_poll(c->multi, watches ? &watched : NULL, watches, ms, NULL) != CURLM_OK) return -ENOMEM;
    if (watches && watched.revents && c->options.watch(c->options.arg)) return -ECANCELED;
    return 0;
}

static uint64_t now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * CLIENT_SECOND + (uint64_t)now.tv_nsec;
}

int32_t client_pause(struct pdk_connection *c, uint64_t ns) {
    uint64_t end = now_ns() + ns, now;
    int32_t rc = 0;
    while (rc == 0 && (now = now_ns()) < end) {
        uint64_t ms = (end - now + 999999) / 1000000;
        rc = wait(c, ms > TURN_MS ? TURN_MS : (int)ms);
    }
    return rc;
}

/* What libcurl calls it, and what it is to us. */
static const struct {
    CURLcode code;
    int32_t rc;
} codes[] = {
    {CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT}, {CURLE_COULDNT_RESOLVE_HOST, -ENOENT},    {CURLE_OUT_OF_MEMORY, -ENOMEM},
    {CURLE_GOT_NOTHING, -ECONNRESET},       {CURLE_RECV_ERROR, -ECONNRESET},          {CURLE_SEND_ERROR, -ECONNRESET},
    {CURLE_PARTIAL_FILE, -ECONNRESET},      {CURLE_PEER_FAILED_VERIFICATION, -EPERM}, {CURLE_SSL_CERTPROBLEM, -EPERM},
    {CURLE_SSL_CACERT_BADFILE, -EPERM},     {CURLE_SSL_CONNECT_ERROR, -EPERM},        {CURLE_URL_MALFORMAT, -EINVAL},
    {CURLE_UNSUPPORTED_PROTOCOL, -EPROTO},  {CURLE_WEIRD_SERVER_REPLY, -EPROTO},      {CURLE_HTTP2, -EPROTO},
    {CURLE_BAD_CONTENT_ENCODING, -EPROTO}};

static int32_t connect_error(const struct pdk_connection *c) {
    long error = 0;
    (void)curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &error);
    return error > 0 ? -(int32_t)error : -ECONNREFUSED;
}

static int32_t explain(const struct pdk_connection *c, CURLcode code, pdk_error *err) {
    int32_t rc = -EPROTO;
    if (c->no_memory) return -ENOMEM;
    if (c->too_large) return pdk_fail(err, -E2BIG, NULL, "the answer is too large", NULL, NULL);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code) rc = codes[i].rc;
    if (code == CURLE_COULDNT_CONNECT) rc = connect_error(c);
    return pdk_fail(err, rc, NULL, *c->why ? c->why : curl_easy_strerror(code), NULL, NULL);
}

int32_t client_transfer(struct pdk_connection *c, pdk_error *err) {
    CURLcode code = CURLE_OK;
    CURLMsg *message;
    int running = 1, left;
    int32_t rc = 0;
    c->size = 0;
    c->type[0] = c->why[0] = '\0';
    c->too_large = c->no_memory = c->streams = false;
    if (curl_multi_add_handle(c->multi, c->easy) != CURLM_OK) return -ENOMEM;
    while (rc == 0 && running) {
        if (curl_multi_perform(c->multi, &running) != CURLM_OK) rc = -ENOMEM;
        if (rc == 0 && running) rc = wait(c, TURN_MS);
    }
    while ((message = curl_multi_info_read(c->multi, &left)))
        if (message->msg == CURLMSG_DONE) code = message->data.result;
    (void)curl_multi_remove_handle(c->multi, c->easy);
    if (rc == -ECANCELED) return pdk_fail(err, rc, NULL, "broken off", NULL, NULL);
    if (rc < 0 || code == CURLE_OK) return rc;
    return explain(c, code, err);
}

int32_t client_get_answer(struct pdk_connection *c, pdk_client_answer *ret) {
    char *type = NULL;
    long status = 0;
    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(c->easy, CURLINFO_CONTENT_TYPE, &type);
    if (type) {
        size_t size = strcspn(type, "; ");
        if (size >= sizeof c->type) size = sizeof c->type - 1;
        memcpy(c->type, type, size);
        c->type[size] = '\0';
    }
    *ret = (pdk_client_answer){(uint32_t)sizeof *ret, (int32_t)status, c->type, c->size ? c->data : "", c->size};
    return 0;
}
