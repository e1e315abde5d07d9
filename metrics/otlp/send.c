/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One body to one address, by the worker: HTTP by libcurl, tried again as OTLP asks.
 *
 *   2xx                      taken; what the answer says was not is told
 *   429 502 503 504          again, after what Retry-After says or a pause that doubles
 *   nobody there, or silent  again, the same way
 *   anything else            refused: that will not get better
 *
 * Until the time of this export is up, or ours. Nobody is told of every failure: once when it begins, once when it is
 * over.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "otlp.h"

#define FIRST_PAUSE PDK_OTLP_SECOND
#define LAST_PAUSE  (30 * PDK_OTLP_SECOND)
#define END_PAUSE   (PDK_OTLP_SECOND / 5) /* while we are about to stop */

struct answer {
    char data[PDK_OTLP_ANSWER_MAX];
    size_t size;
    char error[CURL_ERROR_SIZE];
};

enum verdict { TAKEN, AGAIN, UNREACHED, REFUSED };

static size_t on_data(char *data, size_t size, size_t count, void *arg) {
    struct answer *answer = arg;
    size_t room = sizeof answer->data - answer->size, n = size * count < room ? size * count : room;
    memcpy(answer->data + answer->size, data, n);
    answer->size += n;
    return size * count;
}

/* The end of what we may use: the export's, or ours if that is sooner. It may come closer while we wait. */
static uint64_t end_of(const struct pdk_otlp *self, uint64_t deadline) {
    uint64_t stop = atomic_load(&self->stop_by);
    return stop && stop < deadline ? stop : deadline;
}

static int ms_until(uint64_t end) {
    uint64_t now = pdk_otlp_now(), left = end > now ? (end - now + 999999) / 1000000 : 0;
    return left > 60000 ? 60000 : (int)left;
}

static CURLcode set_up(struct pdk_otlp_signal *signal, const struct pdk_otlp_bytes *body, struct answer *answer) {
    CURL *easy = signal->easy;
    const struct {
        CURLoption option;
        const void *value;
    } pointers[] = {{CURLOPT_URL, signal->url},
                    {CURLOPT_POSTFIELDS, body->data},
                    {CURLOPT_HTTPHEADER, signal->lines},
                    {CURLOPT_PROTOCOLS_STR, "http,https"},
                    {CURLOPT_USERAGENT, "paddock-otlp"},
                    {CURLOPT_CAINFO, signal->certificate},
                    {CURLOPT_SSLCERT, signal->client_certificate},
                    {CURLOPT_SSLKEY, signal->client_key},
                    {CURLOPT_WRITEDATA, answer},
                    {CURLOPT_ERRORBUFFER, answer->error}};
    CURLcode rc = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->size);
    if (!rc) rc = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(signal->timeout / 1000000));
    if (!rc) rc = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    if (!rc) rc = curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a name that is being looked up holds nobody */
    if (!rc) rc = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    for (size_t i = 0; !rc && i < sizeof pointers / sizeof *pointers; i++)
        if (pointers[i].value) rc = curl_easy_setopt(easy, pointers[i].option, pointers[i].value);
    return rc;
}

/* One request. The transfer is watched here, so that it can be given up the moment we are asked to stop. */
static CURLcode perform(struct pdk_otlp *self, CURL *easy, uint64_t deadline) {
    CURLcode result = CURLE_OPERATION_TIMEDOUT;
    CURLMsg *message;
    int running = 1, left;
    if (curl_multi_add_handle(self->multi, easy) != CURLM_OK) return CURLE_OUT_OF_MEMORY;
    while (running && pdk_otlp_now() < end_of(self, deadline)) {
        if (curl_multi_perform(self->multi, &running) != CURLM_OK) break;
        if (running && curl_multi_poll(self->multi, NULL, 0, ms_until(end_of(self, deadline)), NULL) != CURLM_OK) break;
    }
    while ((message = curl_multi_info_read(self->multi, &left)))
        if (message->msg == CURLMSG_DONE) result = message->data.result;
    (void)curl_multi_remove_handle(self->multi, easy);
    return result;
}

static enum verdict judge(CURLcode rc, long status) {
    if (rc == CURLE_OUT_OF_MEMORY) return REFUSED;
    if (rc != CURLE_OK) return UNREACHED;
    if (status >= 200 && status < 300) return TAKEN;
    return status == 429 || (status >= 502 && status <= 504) ? AGAIN : REFUSED;
}

/* ns. What the peer asks for is kept within a day; chance keeps many of us from coming back at once. */
static uint64_t pause_of(const struct pdk_otlp *self, CURL *easy, uint64_t *pause) {
    curl_off_t asked = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &asked);
    if (asked > 0) return (uint64_t)(asked < 86400 ? asked : 86400) * PDK_OTLP_SECOND;
    uint64_t most = atomic_load(&self->stop_by) ? END_PAUSE : *pause;
    *pause = *pause * 2 < LAST_PAUSE ? *pause * 2 : LAST_PAUSE;
    return most / 2 + pdk_otlp_now() % (most / 2);
}

/* False: it would be too late. */
static bool wait(struct pdk_otlp *self, uint64_t pause, uint64_t deadline) {
    uint64_t until = pdk_otlp_now() + pause;
    while (pdk_otlp_now() < until) {
        if (until >= end_of(self, deadline)) return false;
        (void)curl_multi_poll(self->multi, NULL, 0, ms_until(until), NULL);
    }
    return true;
}

static void say_failure(struct pdk_otlp *self, struct pdk_otlp_signal *signal, const char *why, bool again) {
    char text[400];
    bool told = false;
    for (int i = 0; i < PDK_OTLP_SIGNALS; i++) told |= self->signals[i].down;
    signal->down = true;
    if (told) return; /* of one collector, once is enough */
    (void)snprintf(text, sizeof text, "cannot send %s to %.200s: %.120s", signal->word, signal->url, why);
    pdk_logf(self->host, PDK_LOG_WARN, 0, "%s%s", text, again ? "; trying again" : "");
    self->host->health(self->host, PDK_DEGRADED, text);
}

static void say_success(struct pdk_otlp *self, struct pdk_otlp_signal *signal) {
    if (!signal->down) return;
    signal->down = false;
    pdk_logf(self->host, PDK_LOG_INFO, 0, "%s are sent again; %" PRIu64 " were lost", signal->word, signal->lost);
    signal->lost = 0;
    for (int i = 0; i < PDK_OTLP_SIGNALS; i++)
        if (self->signals[i].down) return;
    self->host->health(self->host, PDK_UP, "");
}

static void why_not(const struct answer *answer, CURLcode rc, long status, char *buf, size_t size) {
    if (rc != CURLE_OK)
        (void)snprintf(buf, size, "%s", answer->error[0] ? answer->error : curl_easy_strerror(rc));
    else
        (void)snprintf(buf, size, "HTTP %ld", status);
}

/* Partly taken is taken: it is told, less and less often, and not sent again. */
static void look_at_answer(struct pdk_otlp *self, enum pdk_otlp_kind kind, struct answer *answer) {
    struct pdk_otlp_signal *signal = &self->signals[kind];
    const struct pdk_otlp_bytes bytes = {(uint8_t *)answer->data, answer->size};
    char text[200];
    int64_t rejected = pdk_otlp_decode_answer(kind, &bytes, text, sizeof text);
    if (!rejected && !text[0]) return;
    signal->partial++;
    if (signal->partial & (signal->partial - 1)) return;
    pdk_logf(self->host, PDK_LOG_WARN, 0, "%.200s did not take %" PRId64 " of the %s%s%s", signal->url, rejected,
             kind == PDK_OTLP_TRACES ? signal->word : "points of metrics", text[0] ? ": " : "", text);
}

static enum verdict try_once(struct pdk_otlp *self, enum pdk_otlp_kind kind, const struct pdk_otlp_bytes *body,
                             struct answer *answer, uint64_t deadline) {
    struct pdk_otlp_signal *signal = &self->signals[kind];
    char why[CURL_ERROR_SIZE];
    long status = 0;
    answer->size = 0;
    answer->error[0] = '\0';
    CURLcode rc = set_up(signal, body, answer);
    if (!rc) rc = perform(self, signal->easy, deadline);
    (void)curl_easy_getinfo(signal->easy, CURLINFO_RESPONSE_CODE, &status);
    enum verdict verdict = judge(rc, status);
    if (verdict == TAKEN) {
        say_success(self, signal);
        look_at_answer(self, kind, answer);
    } else {
        why_not(answer, rc, status, why, sizeof why);
        say_failure(self, signal, why, verdict != REFUSED && !atomic_load(&self->stop_by));
    }
    return verdict;
}

/* Who is not there now will not be there in the moment that we have left. */
static bool goes_on(const struct pdk_otlp *self, enum verdict verdict) {
    return verdict == AGAIN || (verdict == UNREACHED && !atomic_load(&self->stop_by));
}

bool pdk_otlp_send(struct pdk_otlp *self, enum pdk_otlp_kind kind, const struct pdk_otlp_bytes *body, uint64_t count) {
    struct pdk_otlp_signal *signal = &self->signals[kind];
    uint64_t deadline = pdk_otlp_now() + signal->export_timeout, pause = FIRST_PAUSE;
    struct answer *answer = malloc(sizeof *answer);
    enum verdict verdict = REFUSED;
    if (!signal->easy) signal->easy = curl_easy_init();
    if (answer && signal->easy) {
        verdict = try_once(self, kind, body, answer, deadline);
        while (goes_on(self, verdict) && wait(self, pause_of(self, signal->easy, &pause), deadline))
            verdict = try_once(self, kind, body, answer, deadline);
    }
    free(answer);
    if (verdict != TAKEN) signal->lost += count;
    if (self->service) pdk_count(self->service, verdict == TAKEN ? signal->sent : signal->failed, 1);
    return verdict == TAKEN;
}
