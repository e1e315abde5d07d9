/* SPDX-License-Identifier: Apache-2.0 */
/* paddock queue and paddock dead: the durable queue of a server, and what failed for good. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/cli/options.h"
#include "core/cli/remote.h"

#define PAGE 1000

struct listing {
    struct pdk_remote *remote;
    struct pdk_grid grid;
    struct pdk_arena arena;
    uint64_t now;
    int64_t count;
};

/* ---- topics */

void pdk_topic_row(const struct pdk_console *out, struct pdk_grid *grid, struct pdk_arena *arena,
                   const pdk_value *topic) {
    static const char *const counts[] = {"delayed", "ready", "running", "dead"};
    double oldest = pdk_get_number(topic, "oldest_age_seconds");
    char age[40];
    pdk_grid_cell(grid, "%s", pdk_cell_of(arena, topic, "topic"));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char text[32];
        int64_t count = pdk_get_integer(topic, counts[i]);
        (void)snprintf(text, sizeof text, "%lld", (long long)count);
        pdk_grid_tone(grid, out, count && i == 3 ? PDK_TONE_RED : PDK_TONE_PLAIN, text);
    }
    int64_t limit = pdk_get_integer(topic, "limit");
    (void)snprintf(age, sizeof age, "%lld", (long long)limit);
    pdk_grid_cell(grid, "%s", limit ? age : "-");
    pdk_grid_cell(grid, "%s",
                  oldest <= 0 ? "-"
                              : pdk_time_span("1970-01-01T00:00:00Z", "", (uint64_t)(oldest * 1e9), age, sizeof age));
    bool paused = pdk_get_flag(topic, "paused");
    pdk_grid_tone(grid, out, paused ? PDK_TONE_YELLOW : PDK_TONE_PLAIN, paused ? "paused" : "open");
}

void pdk_topic_titles(const struct pdk_remote *remote, struct pdk_grid *grid) {
    static const char *const titles[] = {"TOPIC", "DELAYED", "READY", "RUNNING", "DEAD",
                                         "LIMIT", "OLDEST",  "STATE", NULL};
    pdk_grid_begin(grid, 8);
    pdk_titles(remote, grid, titles);
}

static int print_topics(struct pdk_remote *remote, const pdk_value *topics) {
    const pdk_values *v = pdk_values_get();
    struct pdk_arena arena = {0};
    struct pdk_grid grid;
    pdk_topic_titles(remote, &grid);
    for (size_t i = 0; i < v->count(topics); i++) {
        if (remote->arguments->json)
            pdk_print_json(v->at(topics, i));
        else
            pdk_topic_row(&remote->out, &grid, &arena, v->at(topics, i));
    }
    if (!remote->arguments->json) pdk_grid_print(&grid, &remote->out, "", stdout);
    pdk_grid_free(&grid);
    pdk_arena_free(&arena);
    return 0;
}

static int stats(struct pdk_remote *remote, const char *const *names) {
    const pdk_value *answer = NULL;
    PDK_PATH(path);
    (void)names;
    pdk_buffer_text(&path, "/v1/topics");
    int code = pdk_remote_get(remote, &path, &answer);
    return code ? code : print_topics(remote, pdk_values_get()->get(answer, "topics"));
}

/* ---- jobs */

static int add_job(void *arg, const pdk_value *job) {
    struct listing *l = arg;
    const struct pdk_arguments *a = l->remote->arguments;
    const char *state = pdk_state_of(job), *ended = pdk_get_text(job, "ended_at"), *due = pdk_get_text(job, "due_at");
    char text[64];
    l->count++;
    if (a->json) {
        pdk_print_json(job);
        return l->count == a->remote.limit;
    }
    pdk_grid_cell(&l->grid, "%s", pdk_cell_of(&l->arena, job, "job_id"));
    pdk_grid_cell(&l->grid, "%s", pdk_cell_of(&l->arena, job, "task"));
    pdk_grid_cell(&l->grid, "%s", pdk_cell_of(&l->arena, job, "topic"));
    pdk_grid_tone(&l->grid, &l->remote->out, pdk_tone_of(state), pdk_cell(&l->arena, state));
    pdk_grid_cell(&l->grid, "%lld", (long long)pdk_get_integer(job, "priority"));
    pdk_grid_cell(&l->grid, "%lld", (long long)pdk_get_integer(job, "attempts"));
    pdk_grid_cell(&l->grid, "%s", pdk_time_relative(*ended ? ended : due, l->now, text, sizeof text));
    pdk_grid_cell(&l->grid, "%s", pdk_why_of(&l->arena, job, l->now));
    return l->count == a->remote.limit;
}

/* path is freed. */
static int list_jobs(struct pdk_remote *remote, struct pdk_buffer *path) {
    static const char *const titles[] = {"JOB", "TASK", "TOPIC", "STATE", "PRIORITY", "ATTEMPTS", "WHEN", "INFO", NULL};
    struct listing listing = {.remote = remote, .now = pdk_clock_unix()};
    int64_t limit = remote->arguments->remote.limit;
    pdk_grid_begin(&listing.grid, 8);
    pdk_titles(remote, &listing.grid, titles);
    pdk_url_query(path, "topic", remote->arguments->remote.topic);
    pdk_url_number(path, "limit", limit && limit < PAGE ? limit : PAGE);
    int code = pdk_remote_pages(remote, path, "jobs", add_job, &listing);
    if (code == 0 && !remote->arguments->json) pdk_grid_print(&listing.grid, &remote->out, "", stdout);
    pdk_grid_free(&listing.grid);
    pdk_arena_free(&listing.arena);
    return code;
}

static int list(struct pdk_remote *remote, const char *const *names) {
    const struct pdk_remote_arguments *own = &remote->arguments->remote;
    PDK_PATH(path);
    (void)names;
    pdk_buffer_text(&path, "/v1/jobs");
    pdk_url_words(&path, "state", PDK_OPT_JOB_STATE, own->states);
    pdk_url_query(&path, "task", own->task);
    pdk_url_words(&path, "outcome", PDK_OPT_OUTCOME, own->outcomes);
    return list_jobs(remote, &path);
}

static int list_dead(struct pdk_remote *remote, const char *const *names) {
    PDK_PATH(path);
    (void)names;
    pdk_buffer_text(&path, "/v1/dead");
    return list_jobs(remote, &path);
}

static int show(struct pdk_remote *remote, const char *const *names) {
    int code = 0;
    for (size_t i = 0; code == 0 && names[i]; i++) {
        if (i && !remote->arguments->json) (void)fputc('\n', stdout);
        code = pdk_show_one(remote, names[i], true);
    }
    return code;
}

/* ---- what changes something */

/* One question; the answer is told in words, unless it is wanted as JSON. */
static int post(struct pdk_remote *remote, struct pdk_buffer *path, const pdk_value *body, const char *what,
                const char *done) {
    const pdk_value *answer = NULL;
    int code = pdk_remote_post(remote, path, body, &answer);
    if (code) return code;
    if (remote->arguments->json)
        pdk_print_json(answer);
    else if (!remote->arguments->quiet)
        (void)printf("%s: %s\n", what, done);
    return 0;
}

/* Below folder, with the action behind it, each of the names. */
static int post_all(struct pdk_remote *remote, const char *const *names, const char *folder, const char *action,
                    const char *done) {
    const char *reason = remote->arguments->remote.reason;
    const pdk_value *body = NULL;
    int code = reason ? pdk_remote_body(remote, "reason", reason, 0, &body) : 0;
    if (code) return code;
    for (; *names; names++) {
        PDK_PATH(path);
        pdk_buffer_text(&path, folder);
        pdk_url_add(&path, *names);
        pdk_buffer_text(&path, action);
        int one = post(remote, &path, body, *names, done);
        if (!code) code = one;
    }
    pdk_values_get()->drop(body);
    return code;
}

static int pause_topics(struct pdk_remote *remote, const char *const *names) {
    return post_all(remote, names, "/v1/topics/", "/pause", "paused");
}
static int resume_topics(struct pdk_remote *remote, const char *const *names) {
    return post_all(remote, names, "/v1/topics/", "/resume", "resumed");
}
static int cancel(struct pdk_remote *remote, const char *const *names) {
    return post_all(remote, names, "/v1/jobs/", "/cancel", "canceled");
}
static int retry(struct pdk_remote *remote, const char *const *names) {
    int code = 0;
    for (; code == 0 && *names; names++) {
        const pdk_value *answer = NULL;
        PDK_PATH(path);
        pdk_buffer_text(&path, "/v1/jobs/");
        pdk_url_add(&path, *names);
        pdk_buffer_text(&path, "/retry");
        code = pdk_remote_post(remote, &path, NULL, &answer);
        if (code == 0 && remote->arguments->json) pdk_print_json(answer);
        if (code == 0 && !remote->arguments->json) (void)printf("%s\n", pdk_cell_of(&remote->arena, answer, "job_id"));
    }
    return code;
}

static int limit(struct pdk_remote *remote, const char *const *names) {
    const char *why = NULL, *number = names[1];
    char done[64];
    if (!number || names[2]) return pdk_say_usage(remote->arguments->verb, "", "limit wants a TOPIC and a number");
    long long most = strtonum(number, 0, 1000000, &why);
    if (why)
        return pdk_say_usage(remote->arguments->verb, "0 is no limit", "limit: \"%s\" is not 0 to 1000000", number);
    const pdk_value *body = NULL;
    int code = pdk_remote_body(remote, "running", NULL, most, &body);
    if (code) return code;
    PDK_PATH(path);
    pdk_buffer_text(&path, "/v1/topics/");
    pdk_url_add(&path, names[0]);
    pdk_buffer_text(&path, "/limit");
    (void)snprintf(done, sizeof done, most ? "%lld at once" : "no limit", most);
    code = post(remote, &path, body, names[0], done);
    pdk_values_get()->drop(body);
    return code;
}

/* Dead letters, one or all of a topic; the server does some of many at a time. */
static int act_on_dead(struct pdk_remote *remote, const char *action, const char *key, const char *name,
                       const char *done) {
    int64_t count = 0;
    bool more = true;
    const pdk_value *body = NULL;
    int code = pdk_remote_body(remote, key, name, 0, &body);
    while (code == 0 && more) {
        const pdk_value *answer = NULL;
        PDK_PATH(path);
        pdk_buffer_text(&path, action);
        code = pdk_remote_post(remote, &path, body, &answer);
        if (code) break;
        int64_t some = pdk_get_integer(answer, "count");
        more = pdk_get_flag(answer, "more") && some > 0;
        count += some;
    }
    pdk_values_get()->drop(body);
    if (code == 0 && remote->arguments->json) (void)printf("{\"count\":%lld}\n", (long long)count);
    if (code == 0 && !remote->arguments->json && !remote->arguments->quiet)
        (void)printf("%s: %lld %s\n", name, (long long)count, done);
    return code;
}

static int all_dead(struct pdk_remote *remote, const char *const *names, const char *action, const char *done) {
    const char *topic = remote->arguments->remote.topic;
    int code = 0;
    if (!topic && !*names)
        return pdk_say_usage(remote->arguments->verb, "JOB..., or --topic TOPIC for all of it", "which ones?");
    if (topic) code = act_on_dead(remote, action, "topic", topic, done);
    for (; code == 0 && *names; names++) code = act_on_dead(remote, action, "job_id", *names, done);
    return code;
}

static int replay(struct pdk_remote *remote, const char *const *names) {
    return all_dead(remote, names, "/v1/dead/replay", "replayed");
}
static int purge(struct pdk_remote *remote, const char *const *names) {
    return all_dead(remote, names, "/v1/dead/purge", "purged");
}

/* ---- words behind the verb */

struct word {
    const char *word;
    int (*run)(struct pdk_remote *remote, const char *const *names);
    const char *wants; /* what must be named; NULL: nothing may be, ""; anything */
};

static const struct word queue_words[] = {{"stats", stats, NULL},
                                          {"list", list, NULL},
                                          {"ls", list, NULL},
                                          {"show", show, "JOB"},
                                          {"cancel", cancel, "JOB"},
                                          {"drop", cancel, "JOB"},
                                          {"retry", retry, "JOB"},
                                          {"pause", pause_topics, "TOPIC"},
                                          {"resume", resume_topics, "TOPIC"},
                                          {"limit", limit, "TOPIC"},
                                          {NULL, NULL, NULL}};
static const struct word dead_words[] = {{"list", list_dead, NULL}, {"ls", list_dead, NULL}, {"show", show, "JOB"},
                                         {"replay", replay, ""},    {"retry", replay, ""},   {"purge", purge, ""},
                                         {"drop", purge, ""},       {NULL, NULL, NULL}};

const char *pdk_queue_word(bool dead, size_t i) {
    return (dead ? dead_words : queue_words)[i].word;
}

static int run_word(struct pdk_arguments *a, const struct word *word) {
    const char *const *names = a->names.items + (a->names.count ? 1 : 0);
    struct pdk_remote remote;
    for (; word->word; word++)
        if (!a->names.count || strcmp(word->word, a->names.items[0]) == 0) break;
    if (!word->word) return pdk_say_usage(a->verb, "", "%s has no \"%s\"", a->verb->name, a->names.items[0]);
    if (!word->wants && *names) return pdk_say_usage(a->verb, "", "unexpected word \"%s\"", *names);
    if (word->wants && *word->wants && !*names)
        return pdk_say_usage(a->verb, "", "%s %s wants a %s", a->verb->name, word->word, word->wants);
    int code = pdk_remote_open(&remote, a, false, 0);
    if (code == 0) code = word->run(&remote, names);
    return pdk_remote_close(&remote, code);
}

int pdk_verb_queue(struct pdk_arguments *a) {
    return run_word(a, queue_words);
}

int pdk_verb_dead(struct pdk_arguments *a) {
    return run_word(a, dead_words);
}
