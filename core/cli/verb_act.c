/* SPDX-License-Identifier: Apache-2.0 */
/* paddock cancel, retry, pause, resume, start, stop, restart, reload: one question for each thing that is named. */
#include <stdlib.h>
#include <string.h>

#include "core/cli/remote.h"

/* What may be named: by its place in the interface. */
enum thing { RUN, JOB, TASK, SLOT, TOPIC, SERVER };

static const char *const folders[] = {[RUN] = "/v1/runs/",   [JOB] = "/v1/jobs/",     [TASK] = "/v1/tasks/",
                                      [SLOT] = "/v1/slots/", [TOPIC] = "/v1/topics/", [SERVER] = "/v1/server"};

static const struct action {
    const char *verb;
    enum thing thing; /* that its words name */
    bool jobs;        /* numbers are jobs */
    const char *done; /* "web: paused"; NULL: the new id is printed */
} actions[] = {{"cancel", RUN, true, "canceled"},     {"retry", RUN, true, NULL},
               {"pause", RUN, false, "paused"},       {"resume", RUN, false, "resumed"},
               {"start", TASK, false, "started"},     {"stop", TASK, false, "stopped"},
               {"restart", TASK, false, "restarted"}, {"reload", RUN, false, "reloaded"}};

struct acting {
    struct pdk_remote *remote;
    const struct action *action;
    const pdk_value *body;
    struct pdk_awaited *awaited;
    size_t count;
};

static const struct action *action_of(const char *verb) {
    const struct action *action = actions;
    while (strcmp(action->verb, verb) != 0) action++; /* verbs_remote.c names no other */
    return action;
}

/* What reload says has changed: {"changed": ["web"], ...} */
static void tell_changes(const pdk_value *answer) {
    const pdk_values *v = pdk_values_get();
    struct pdk_arena arena = {0};
    struct pdk_buffer line = PDK_BUFFER(1u << 16);
    for (size_t i = 0; i < v->count(answer); i++) {
        const pdk_value *list = v->at(answer, i);
        if (v->type(list) != PDK_LIST || !v->count(list)) continue;
        pdk_buffer_format(&line, "%s%s", line.size ? "; " : "", pdk_cell(&arena, v->key_at(answer, i)));
        for (size_t k = 0; k < v->count(list); k++) {
            const char *name = "";
            (void)v->string(v->at(list, k), &name);
            pdk_buffer_format(&line, "%s %s", k ? "," : "", pdk_cell(&arena, name));
        }
    }
    (void)printf("reloaded%s%s\n", line.size ? ": " : "", pdk_buffer_string(&line));
    pdk_buffer_free(&line);
    pdk_arena_free(&arena);
}

/* The id of what it was done to, or, of a retry, of what came of it. */
static const char *id_of(const struct acting *acting, enum thing thing, const char *name, const pdk_value *answer) {
    const char *id = thing == JOB ? pdk_get_text(answer, "job_id") : thing == RUN ? pdk_get_text(answer, "run_id") : "";
    return pdk_cell(&acting->remote->arena, *id ? id : name);
}

static void tell(struct acting *acting, enum thing thing, const char *id, const pdk_value *answer) {
    const struct pdk_arguments *a = acting->remote->arguments;
    if (a->json)
        pdk_print_json(answer);
    else if (!acting->action->done)
        (void)printf("%s\n", id);
    else if (thing == SERVER && strcmp(acting->action->verb, "reload") == 0)
        tell_changes(answer);
    else if (!a->quiet)
        (void)printf("%s: %s\n", id, thing == RUN && a->remote.now ? "killed" : acting->action->done);
}

static int act(struct acting *acting, enum thing thing, const char *name) {
    struct pdk_remote *remote = acting->remote;
    const pdk_value *answer = NULL;
    const char *word = acting->action->verb;
    PDK_PATH(path);
    pdk_buffer_text(&path, folders[thing]);
    if (thing != SERVER) pdk_url_add(&path, name);
    pdk_buffer_format(&path, "/%s", thing == RUN && remote->arguments->remote.now ? "kill" : word);
    int code = pdk_remote_post(remote, &path, acting->body, &answer);
    if (code) return code;
    const char *id = id_of(acting, thing, name, answer);
    tell(acting, thing, id, answer);
    if (thing == RUN || thing == JOB)
        acting->awaited[acting->count++] = (struct pdk_awaited){.id = id, .job = thing == JOB};
    return 0;
}

/* Each is tried, whatever became of the others; the first failure is the verb's. */
static int act_on_all(struct acting *acting) {
    const struct pdk_arguments *a = acting->remote->arguments;
    const struct action *action = acting->action;
    int code = 0;
    if (a->remote.slot) code = act(acting, SLOT, a->remote.slot);
    if (code == 0 && a->remote.topic) code = act(acting, TOPIC, a->remote.topic);
    if (code == 0 && (a->remote.all || (!a->names.count && strcmp(action->verb, "reload") == 0)))
        code = act(acting, SERVER, "server");
    for (size_t i = 0; i < a->names.count; i++) {
        const char *name = a->names.items[i];
        int one = act(acting, action->jobs && pdk_is_job(name) ? JOB : action->thing, name);
        if (!code) code = one;
        if (one == PDK_EXIT_UNREACHABLE) break;
    }
    return code;
}

/* What was canceled is to be gone; of what is run again it matters how it ends. */
static int await_all(struct acting *acting) {
    int code = pdk_remote_await(acting->remote, acting->awaited, acting->count);
    return acting->action->done && code == PDK_EXIT_FAILED ? 0 : code;
}

int pdk_verb_act(struct pdk_arguments *a) {
    const struct pdk_remote_arguments *own = &a->remote;
    struct pdk_remote remote;
    struct acting acting = {.remote = &remote, .action = action_of(a->verb->name)};
    bool named = a->names.count || own->slot || own->topic || own->all || strcmp(a->verb->name, "reload") == 0;
    if (!named) return pdk_say_usage(a->verb, "paddock ps lists what runs", "%s what?", a->verb->name);
    acting.awaited = calloc(a->names.count + 1, sizeof *acting.awaited);
    if (!acting.awaited) return pdk_say_memory();
    int code = pdk_remote_open(&remote, a, own->wait, 0);
    if (code == 0 && own->reason) code = pdk_remote_body(&remote, "reason", own->reason, 0, &acting.body);
    if (code == 0) code = act_on_all(&acting);
    if (own->wait && acting.count && !remote.signal) {
        int waited = await_all(&acting);
        if (!code) code = waited;
    }
    pdk_values_get()->drop(acting.body);
    free(acting.awaited);
    return pdk_remote_close(&remote, code);
}
