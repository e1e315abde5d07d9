/* SPDX-License-Identifier: Apache-2.0 */
/* Words for people. The same in events, logs, lists and metrics. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/supervise/internal.h"

const char *pdk_end_word(int32_t end) {
    static const char *const words[PDK_ENDS] = {"succeeded", "failed",   "fatal", "canceled",
                                                "timed_out", "rejected", "lost"};
    return end >= 0 && end < PDK_ENDS ? words[end] : "unknown";
}

const char *pdk_result_word(int32_t status, bool timed_out) {
    static const char *const words[PDK_RESULTS] = {"succeeded", "failed", "fatal", "failed", "canceled"};
    if (timed_out) return "timed_out";
    return status >= 0 && status < PDK_RESULTS ? words[status] : "unknown";
}

const char *pdk_cause_word(int32_t cause) {
    static const char *const words[] = {
        "", "canceled", "timed out", "shutting down", "replaced", "its deadline has come"};
    return cause >= 0 && cause <= PDK_CANCEL_DEADLINE ? words[cause] : "unknown";
}

const char *pdk_category_word(int32_t category) {
    static const char *const words[] = {NULL,   "other", "input",  "missing", "denied",  "busy",    "network",
                                        "peer", "exit",  "signal", "memory",  "timeout", "internal"};
    return category >= PDK_CAT_NONE && category <= PDK_CAT_INTERNAL ? words[category] : "other";
}

const char *pdk_say_result(const struct pdk_said *said, bool timed_out, uint64_t timeout, char *buf, size_t size) {
    const pdk_result *r = &said->result;
    const char *name = r->signal ? pdk_signal_name(r->signal) : NULL;
    char about[32];
    if (timed_out && timeout) {
        (void)snprintf(buf, size, "timed out after %s", pdk_duration_about(timeout, about, sizeof about));
    } else if (timed_out) {
        (void)snprintf(buf, size, "its deadline has come");
    } else if (r->message && *r->message) { /* the plugin knows more than numbers */
        (void)strlcpy(buf, r->message, size);
    } else if (r->signal && name) {
        (void)snprintf(buf, size, "ended by SIG%s", name);
    } else if (r->signal) {
        (void)snprintf(buf, size, "ended by signal %d", r->signal);
    } else if (r->exit_code || r->category == PDK_CAT_EXIT) {
        (void)snprintf(buf, size, "exit code %d", r->exit_code);
    } else if (r->code && *r->code) {
        (void)strlcpy(buf, r->code, size);
    } else {
        (void)strlcpy(buf, pdk_result_word(r->status, false), size);
    }
    return buf;
}

const char *pdk_ordinal(uint32_t n, char *buf, size_t size) {
    static const char *const ends[] = {"th", "st", "nd", "rd"};
    uint32_t last = n % 10;
    bool teen = n % 100 / 10 == 1;
    (void)snprintf(buf, size, "%u%s", n, teen || last > 3 ? "th" : ends[last]);
    return buf;
}
