/* SPDX-License-Identifier: Apache-2.0 */
/* The options of verbs that ask a server: where the value of each goes, and what it may be. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/cli/options.h"

enum taking { FLAG, TEXT, WORDS, WORD, LIST, NUMBER, DURATION };

static const struct row {
    int id;
    enum taking taking;
    size_t at; /* in struct pdk_remote_arguments */
    long long min, max;
} rows[] = {
#define AT(member) offsetof(struct pdk_remote_arguments, member)
    {PDK_OPT_ALL, FLAG, AT(all), 0, 0},
    {PDK_OPT_FOLLOW, FLAG, AT(follow), 0, 0},
    {PDK_OPT_NO_FOLLOW, FLAG, AT(no_follow), 0, 0},
    {PDK_OPT_WAIT, FLAG, AT(wait), 0, 0},
    {PDK_OPT_WATCH, FLAG, AT(watch), 0, 0},
    {PDK_OPT_NO_HEADER, FLAG, AT(no_header), 0, 0},
    {PDK_OPT_NOW, FLAG, AT(now), 0, 0},
    {PDK_OPT_DIRECT, FLAG, AT(direct), 0, 0},
    {PDK_OPT_SERVER, TEXT, AT(server), 0, 0},
    {PDK_OPT_TOKEN_FILE, TEXT, AT(token_file), 0, 0},
    {PDK_OPT_CA_FILE, TEXT, AT(ca_file), 0, 0},
    {PDK_OPT_CERTIFICATE_FILE, TEXT, AT(certificate_file), 0, 0},
    {PDK_OPT_KEY_FILE, TEXT, AT(key_file), 0, 0},
    {PDK_OPT_JSONL, TEXT, AT(jsonl), 0, 0},
    {PDK_OPT_SUBMIT_KIND, TEXT, AT(kind), 0, 0},
    {PDK_OPT_FILTER_KIND, TEXT, AT(kind), 0, 0},
    {PDK_OPT_NAME, TEXT, AT(name), 0, 0},
    {PDK_OPT_INPUT, TEXT, AT(input), 0, 0},
    {PDK_OPT_SUBMIT_TOPIC, TEXT, AT(topic), 0, 0},
    {PDK_OPT_TOPIC, TEXT, AT(topic), 0, 0},
    {PDK_OPT_UNIQUE, TEXT, AT(unique), 0, 0},
    {PDK_OPT_UNIQUE_MODE, TEXT, AT(unique_mode), 0, 0},
    {PDK_OPT_IDEMPOTENCY, TEXT, AT(key), 0, 0},
    {PDK_OPT_SORT, WORD, AT(sort), 0, 0},
    {PDK_OPT_STATE, LIST, AT(states), 0, 0},
    {PDK_OPT_JOB_STATE, LIST, AT(states), 0, 0},
    {PDK_OPT_OUTCOME, LIST, AT(outcomes), 0, 0},
    {PDK_OPT_TASK, TEXT, AT(task), 0, 0},
    {PDK_OPT_SLOT, TEXT, AT(slot), 0, 0},
    {PDK_OPT_RUNNER, TEXT, AT(runner), 0, 0},
    {PDK_OPT_SEARCH, TEXT, AT(search), 0, 0},
    {PDK_OPT_STREAM, TEXT, AT(stream), 0, 0},
    {PDK_OPT_TYPE, TEXT, AT(type), 0, 0},
    {PDK_OPT_SINCE, TEXT, AT(since), 0, 0},
    {PDK_OPT_REASON, TEXT, AT(reason), 0, 0},
    {PDK_OPT_LABEL, WORDS, AT(labels), 0, 0},
    {PDK_OPT_PARAMETER, WORDS, AT(parameters), 0, 0},
    {PDK_OPT_PRIORITY, NUMBER, AT(priority), -100, 100},
    {PDK_OPT_MAX_ATTEMPTS, NUMBER, AT(max_attempts), 1, 1000},
    {PDK_OPT_ATTEMPT, NUMBER, AT(attempt), 1, UINT32_MAX},
    {PDK_OPT_LIMIT, NUMBER, AT(limit), 1, INT32_MAX},
    {PDK_OPT_TAIL, NUMBER, AT(tail), 0, 1000000},
    {PDK_OPT_DELAY, DURATION, AT(delay_ns), 0, 0},
    {PDK_OPT_INTERVAL, DURATION, AT(interval_ns), 0, 0},
#undef AT
};

static int take_number(struct pdk_arguments *a, const struct pdk_option *option, const struct row *row,
                       const char *text, int64_t *ret) {
    const char *why = NULL;
    char hint[80];
    *ret = strtonum(text, row->min, row->max, &why);
    if (!why) return 0;
    (void)snprintf(hint, sizeof hint, "expected %lld to %lld", row->min, row->max);
    return pdk_say_usage(a->verb, hint, "--%s: \"%s\" is not one of its values", option->name, text);
}

static int take_duration(struct pdk_arguments *a, const struct pdk_option *option, const char *text, uint64_t *ret) {
    char hint[100] = "";
    if (pdk_duration_parse(text, ret, hint, sizeof hint) == 0) return 0;
    return pdk_say_usage(a->verb, *hint ? hint : "write 30s or 5m", "--%s: \"%s\" is not a duration", option->name,
                         text);
}

const char *const *pdk_option_words(int id) {
    static const char *const run_states[] = {"queued", "running", "backoff", "stopping", "stuck", "ended", NULL};
    static const char *const job_states[] = {"delayed", "ready", "running", "ended", NULL};
    static const char *const outcomes[] = {"succeeded", "failed",   "fatal", "canceled",
                                           "timed_out", "rejected", "lost",  NULL};
    static const char *const columns[] = {"run", "task", "state", "attempts", "age", NULL};
    switch (id) {
    case PDK_OPT_STATE: return run_states;
    case PDK_OPT_JOB_STATE: return job_states;
    case PDK_OPT_OUTCOME: return outcomes;
    case PDK_OPT_SORT: return columns;
    default: return NULL;
    }
}

static int take_word(struct pdk_arguments *a, const struct pdk_option *option, const char *text, uint32_t *ret) {
    int found = pdk_option_choice(a->verb, option->name, text, pdk_option_words(option->id));
    if (found < 0) return PDK_EXIT_USAGE;
    *ret = (uint32_t)found + 1;
    return 0;
}

/* STATE,STATE,.. beside those that were said before. */
static int take_list(struct pdk_arguments *a, const struct pdk_option *option, const char *text, uint32_t *ret) {
    do {
        size_t size = strcspn(text, ",");
        const char *word = pdk_arena_text(&a->arena, text, size);
        if (!word) return pdk_say_memory();
        int found = pdk_option_choice(a->verb, option->name, word, pdk_option_words(option->id));
        if (found < 0) return PDK_EXIT_USAGE;
        *ret |= UINT32_C(1) << found;
        text += size + (text[size] == ',');
    } while (*text);
    return 0;
}

int pdk_option_take_remote(struct pdk_arguments *a, const struct pdk_option *option, const char *text) {
    const struct row *row = rows, *end = rows + sizeof rows / sizeof *rows;
    while (row < end && row->id != option->id) row++;
    if (row == end) return PDK_EXIT_BUG; /* each has one: a test looks */
    void *at = (char *)&a->remote + row->at;
    if (option->id == PDK_OPT_PRIORITY) a->remote.has_priority = true;
    switch (row->taking) {
    case FLAG: *(bool *)at = true; return 0;
    case TEXT: *(const char **)at = text; return 0;
    case WORDS: return pdk_words_add(at, &a->arena, text) < 0 ? pdk_say_memory() : 0;
    case WORD: return take_word(a, option, text, at);
    case LIST: return take_list(a, option, text, at);
    case NUMBER: return take_number(a, option, row, text, at);
    case DURATION: return take_duration(a, option, text, at);
    }
    return PDK_EXIT_BUG;
}
