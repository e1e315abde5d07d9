/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for the end of runs and jobs: they are asked for again and again, soon at first, then twice a second. */
#include <signal.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/cli/remote.h"

#define FIRST (10 * PDK_MILLISECOND)
#define LAST  (500 * PDK_MILLISECOND)
#define AWAY  PDK_MINUTE /* how long a server may be, between two of its lives */

/* Of a command alone it is the command's own; see `run -- COMMAND`. */
static int own_code(const pdk_value *ended, const char *outcome) {
    const pdk_values *v = pdk_values_get();
    int64_t code = 0, signal = pdk_get_integer(ended, "signal");
    if (strcmp(outcome, "timed_out") == 0) return PDK_EXIT_TIMED_OUT;
    if (signal > 0 && signal < 128) return PDK_EXIT_SIGNAL + (int)signal;
    if (v->integer(v->get(ended, "exit_code"), &code) == 0 && code > 0 && code < 256) return (int)code;
    return PDK_EXIT_FAILED;
}

/* How it goes, on standard error, when it goes otherwise than before. */
static void say(const struct pdk_remote *remote, struct pdk_awaited *one, const pdk_value *now) {
    struct pdk_arena arena = {0};
    struct pdk_buffer line = PDK_BUFFER(1000);
    int64_t attempts = pdk_get_integer(now, "attempts");
    const char *state = pdk_state_of(now);
    pdk_buffer_text(&line, state);
    if (attempts > 1 || strcmp(state, "backoff") == 0) pdk_buffer_format(&line, ", attempt %lld", (long long)attempts);
    const char *why = pdk_why_of(&arena, now, pdk_clock_unix());
    if (*why && (one->ended || pdk_get_number(now, "ratio") >= 0)) pdk_buffer_format(&line, ": %.80s", why);
    if (!remote->arguments->quiet && strncmp(one->said, pdk_buffer_string(&line), sizeof one->said - 1) != 0)
        pdk_say("%s: %s", one->id, pdk_buffer_string(&line));
    (void)strlcpy(one->said, pdk_buffer_string(&line), sizeof one->said);
    pdk_buffer_free(&line);
    pdk_arena_free(&arena);
}

static int ask(struct pdk_remote *remote, struct pdk_awaited *one) {
    const pdk_value *now = NULL;
    PDK_PATH(path);
    pdk_buffer_text(&path, one->job ? "/v1/jobs/" : "/v1/runs/");
    pdk_url_add(&path, one->id);
    int code = pdk_remote_get(remote, &path, &now);
    if (code) return code;
    const char *state = pdk_get_text(now, "state"), *outcome = pdk_get_text(now, "outcome");
    one->ended = strcmp(state, "ended") == 0 || strcmp(state, "stuck") == 0;
    say(remote, one, now);
    if (!one->ended) return 0;
    if (strcmp(outcome, "succeeded") != 0) one->code = one->own_code ? own_code(now, outcome) : PDK_EXIT_FAILED;
    if (remote->arguments->json) pdk_print_json(now);
    return 0;
}

static void leave_be(const struct pdk_remote *remote, const struct pdk_awaited *awaited, size_t count) {
    if (remote->arguments->quiet || !remote->signal) return;
    for (size_t i = 0; i < count; i++)
        if (!awaited[i].ended) pdk_say("%s goes on; \"paddock cancel %s\" ends it", awaited[i].id, awaited[i].id);
}

/* Jobs outlive their server: it is asked again for a while. since: when it went, 0: it is there. */
static bool comes_back(struct pdk_remote *remote, const struct pdk_awaited *awaited, size_t count, uint64_t *since) {
    for (size_t i = 0; i < count; i++)
        if (!awaited[i].ended && !awaited[i].job) return false;
    if (!*since && !remote->arguments->quiet) pdk_say("%s; asking again", remote->words);
    if (!*since) *since = pdk_clock_now();
    return pdk_clock_now() - *since < AWAY;
}

/* All that have not ended; how many there are then. */
static int ask_all(struct pdk_remote *remote, struct pdk_awaited *awaited, size_t count, size_t *left) {
    int code = 0;
    *left = 0;
    remote->holds_words = true;
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (!awaited[i].ended) code = ask(remote, &awaited[i]);
        *left += !awaited[i].ended;
    }
    remote->holds_words = false;
    return code;
}

int pdk_remote_await(struct pdk_remote *remote, struct pdk_awaited *awaited, size_t count) {
    uint64_t pause = FIRST, gone_since = 0;
    size_t left = count;
    int code = 0;
    (void)pdk_remote_flush(remote); /* ids that were printed: who waits with us may want them */
    while (left && !pdk_remote_look(remote)) {
        code = ask_all(remote, awaited, count, &left);
        if (code == 0) gone_since = 0;
        bool away = code == PDK_EXIT_UNREACHABLE || (code == PDK_EXIT_REFUSED && remote->status == 503);
        if (code && !(away && comes_back(remote, awaited, count, &gone_since))) break;
        if (code == 0 && !left) break;
        pdk_remote_wait(remote, pause, -1);
        pause = pause * 2 < LAST ? pause * 2 : LAST;
    }
    if (code && !remote->signal && *remote->words) pdk_say("%s", remote->words);
    leave_be(remote, awaited, count);
    for (size_t i = 0; code == 0 && i < count; i++) code = awaited[i].code;
    return code;
}
