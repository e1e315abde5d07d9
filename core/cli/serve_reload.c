/* SPDX-License-Identifier: Apache-2.0 */
/* The files are read again. All is checked first; then the tasks change, or with one fault nothing does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/cli/serve.h"
#include "paddock/helpers.h"

/* So many names are said of each sort; all are answered. */
#define NAMES_SAID 10

/* Names that belong to a configuration. */
struct names {
    const char **items;
    size_t count;
};

enum { ADDED, CHANGED, REMOVED, RESTART, SORTS };

static const char *const sorts[SORTS] = {"added", "changed", "removed", "restart"};

struct difference {
    struct names names[SORTS];
    uint32_t unchanged;
};

static void difference_free(struct difference *difference) {
    for (size_t i = 0; i < SORTS; i++) free(difference->names[i].items);
}

/* first: what the files said when we were started; old: what they said last. */
static int32_t make_room(struct difference *difference, const struct pdk_config *first, const struct pdk_config *old,
                         const struct pdk_config *new) {
    size_t others = 2 + first->plugin_count + new->plugin_count + first->source_count + new->source_count +
                    first->metrics_count + new->metrics_count;
    const size_t room[SORTS] = {new->task_count, new->task_count, old->task_count, others};
    *difference = (struct difference){.unchanged = 0};
    for (size_t i = 0; i < SORTS; i++) {
        difference->names[i].items = calloc(room[i] + 1, sizeof(const char *));
        if (!difference->names[i].items) return -ENOMEM;
    }
    return 0;
}

static void add(struct difference *difference, int sort, const char *name) {
    struct names *names = &difference->names[sort];
    names->items[names->count++] = name;
}

static int32_t compare_tasks(struct difference *difference, const struct pdk_config *old,
                             const struct pdk_config *new) {
    for (uint32_t i = 0; i < new->task_count; i++) {
        const char *name = new->tasks[i]->plugin.name;
        struct pdk_task *before = pdk_config_task(old, name);
        int32_t same = before ? pdk_task_same(before, new->tasks[i]) : 0;
        if (same < 0) return same;
        if (same)
            difference->unchanged++;
        else
            add(difference, before ? CHANGED : ADDED, name);
    }
    for (uint32_t i = 0; i < old->task_count; i++)
        if (!pdk_config_task(new, old->tasks[i]->plugin.name)) add(difference, REMOVED, old->tasks[i]->plugin.name);
    return 0;
}

/* ---- what only a restart changes */

static bool same_value(const pdk_value *a, const pdk_value *b) {
    size_t left = pdk_values_get()->count(a), right = pdk_values_get()->count(b);
    if (left == 0 && right == 0) return true; /* {} and nothing */
    return a && b && pdk_value_equal(a, b);
}

static bool same_entry(const struct pdk_plugin_entry_config *a, const struct pdk_plugin_entry_config *b) {
    const pdk_values *values = pdk_values_get();
    if (strcmp(a->use, b->use) != 0 || a->task_label != b->task_label) return false;
    if (!same_value(a->labels, b->labels) || !same_value(a->config, b->config)) return false;
    const pdk_value *left = values->get(a->at, "isolation"), *right = values->get(b->at, "isolation");
    if (!left || !right) return left == right;
    return pdk_value_equal(left, right);
}

static const struct pdk_plugin_entry_config *find(const struct pdk_plugin_entry_config *entries, uint32_t count,
                                                  const char *name) {
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0) return &entries[i];
    return NULL;
}

static void compare_entries(struct difference *difference, const struct pdk_plugin_entry_config *old, uint32_t count,
                            const struct pdk_plugin_entry_config *new, uint32_t new_count) {
    for (uint32_t i = 0; i < new_count; i++) {
        const struct pdk_plugin_entry_config *before = find(old, count, new[i].name);
        if (!before || !same_entry(before, &new[i])) add(difference, RESTART, new[i].name);
    }
    for (uint32_t i = 0; i < count; i++)
        if (!find(new, new_count, old[i].name)) add(difference, RESTART, old[i].name);
}

static bool same_limits(const struct pdk_limits *a, const struct pdk_limits *b) {
    return a->running == b->running && a->queued == b->queued && a->slot_queue == b->slot_queue &&
           a->history == b->history && a->events == b->events && a->history_age == b->history_age &&
           a->line == b->line && a->drain == b->drain && a->grace == b->grace && a->flush == b->flush;
}

/* What is at work is what the files said first. */
static void compare_rest(struct difference *difference, const struct pdk_config *first, const struct pdk_config *new) {
    compare_entries(difference, first->plugins, first->plugin_count, new->plugins, new->plugin_count);
    compare_entries(difference, first->sources, first->source_count, new->sources, new->source_count);
    compare_entries(difference, first->metrics, first->metrics_count, new->metrics, new->metrics_count);
    if (!same_limits(&first->limits, &new->limits)) add(difference, RESTART, "limits");
    if (!same_value(first->server.at, new->server.at)) add(difference, RESTART, "server");
}

/* ---- saying it */

static void say_names(struct pdk_buffer *line, const struct names *names, const char *what) {
    if (!names->count) return;
    pdk_buffer_format(line, "%s%zu %s (", line->size ? ", " : "", names->count, what);
    for (size_t i = 0; i < names->count && i < NAMES_SAID; i++)
        pdk_buffer_format(line, "%s%s", i ? ", " : "", names->items[i]);
    pdk_buffer_text(line, names->count > NAMES_SAID ? ", ..)" : ")");
}

static void say_difference(struct pdk_session *session, const struct difference *difference) {
    struct pdk_buffer line = PDK_BUFFER(4096);
    for (int sort = ADDED; sort <= REMOVED; sort++) say_names(&line, &difference->names[sort], sorts[sort]);
    pdk_buffer_format(&line, "%s%u unchanged", line.size ? ", " : "", difference->unchanged);
    pdk_run_talk(session, PDK_LOG_INFO, "", "reloaded: %s", pdk_buffer_string(&line));
    pdk_supervisor_announce(session->supervisor, PDK_EVENT_RELOADED, pdk_buffer_string(&line));
    const struct names *restart = &difference->names[RESTART];
    for (size_t i = 0; i < restart->count; i++)
        pdk_run_talk(session, PDK_LOG_WARN, "", "%s has changed: that needs a restart", restart->items[i]);
    pdk_buffer_free(&line);
}

static void write_difference(pdk_writer *w, const struct difference *difference) {
    const pdk_values *values = pdk_values_get();
    values->put_map(w);
    for (int sort = 0; sort < SORTS; sort++) {
        const struct names *names = &difference->names[sort];
        values->key(w, sorts[sort]);
        values->put_list(w);
        for (size_t i = 0; i < names->count; i++) values->put_string(w, names->items[i], strlen(names->items[i]));
        values->end(w);
    }
    values->key(w, "unchanged");
    values->put_int(w, difference->unchanged);
    values->end(w);
}

/* "shop.yaml:3:9: ", "shop.yaml: " of a whole file, or nothing. Returns buf. */
static const char *place_of(const struct pdk_fault *fault, char *buf, size_t size) {
    const struct pdk_place *place = &fault->place;
    buf[0] = '\0';
    if (place->line)
        (void)snprintf(buf, size, "%.200s:%u:%u: ", place->file, place->line, place->column);
    else if (place->file)
        (void)snprintf(buf, size, "%.200s: ", place->file);
    return buf;
}

static void say_faults(struct pdk_session *session, struct pdk_report *report) {
    char place[300];
    pdk_report_sort(report);
    for (uint32_t i = 0; i < report->count; i++) {
        const struct pdk_fault *fault = &report->faults[i];
        struct pdk_said_of of = {.level = fault->severity == PDK_SEVERITY_ERROR ? PDK_LOG_ERROR : PDK_LOG_WARN,
                                 .file = fault->place.file,
                                 .line = fault->place.line};
        pdk_run_talk_of(session, &of, "%s%s%s%s%s%s", place_of(fault, place, sizeof place), fault->path,
                        *fault->path ? ": " : "", fault->message, *fault->expected ? "; " : "", fault->expected);
    }
}

static const struct pdk_fault *first_error(const struct pdk_report *report) {
    for (uint32_t i = 0; i < report->count; i++)
        if (report->faults[i].severity == PDK_SEVERITY_ERROR) return &report->faults[i];
    return NULL;
}

static int32_t refuse(struct pdk_session *session, struct pdk_report *report, pdk_error *err) {
    char place[300];
    say_faults(session, report);
    const struct pdk_fault *fault = first_error(report);
    pdk_run_talk(session, PDK_LOG_ERROR, "", "not reloaded: %u error%s; nothing has changed", report->errors,
                 report->errors == 1 ? "" : "s");
    if (!fault) return -EINVAL;
    err->code = -EINVAL;
    (void)snprintf(err->message, sizeof err->message, "%s%s%s%s", place_of(fault, place, sizeof place), fault->path,
                   *fault->path ? ": " : "", fault->message);
    (void)strlcpy(err->hint, fault->expected, sizeof err->hint);
    return -EINVAL;
}

/* ---- the change */

int32_t pdk_serve_select(struct pdk_serve *serve, struct pdk_setup *setup, struct pdk_plan **ret, pdk_error *err) {
    const struct pdk_selection selection = {.also = (const char *const *)serve->asked};
    return pdk_plan_select(setup->config, &selection, ret, err);
}

static int32_t read_again(struct pdk_serve *serve, struct pdk_setup *setup) {
    pdk_router *router = pdk_supervisor_router(serve->session->supervisor);
    if (pdk_setup_read(setup, serve->session->arguments, true) == PDK_EXIT_BUG) return -ENOMEM;
    setup->sources = "";
    if (!setup->config) return setup->report.errors ? -EINVAL : -ENOMEM;
    int32_t rc = pdk_serve_check_trust(setup);
    if (rc < 0) return rc;
    if (setup->report.errors) return -EINVAL;
    for (uint32_t i = 0; i < setup->config->task_count; i++) pdk_setup_try(setup, router, setup->config->tasks[i]);
    pdk_setup_try_sources(setup, router);
    if (setup->report.out_of_memory) return -ENOMEM;
    return setup->report.errors ? -EINVAL : 0;
}

static void take_over(struct pdk_serve *serve, struct pdk_setup *setup) {
    struct pdk_setup *before = serve->setup;
    serve->setup = setup;
    serve->reloads++;
    serve->reloaded_at = pdk_clock_unix();
    if (before == &serve->session->setup) return; /* what is at work of the plugins is made of it */
    pdk_setup_free(before);
    free(before);
}

static int32_t change(struct pdk_serve *serve, struct pdk_setup *setup, pdk_writer *w, pdk_error *err) {
    struct pdk_session *session = serve->session;
    struct pdk_instance_limits *grants = NULL;
    struct pdk_plan *wanted = NULL;
    struct difference difference;
    int32_t rc = make_room(&difference, session->setup.config, serve->setup->config, setup->config);
    if (rc == 0) rc = compare_tasks(&difference, serve->setup->config, setup->config);
    if (rc == 0) rc = pdk_setup_grants_make(setup, &session->setup, &grants);
    if (rc == 0) rc = pdk_serve_select(serve, setup, &wanted, err);
    if (rc == 0) rc = pdk_plan_change(session->plan, wanted, NULL, err);
    if (rc == 0) {
        pdk_setup_grants_apply(&session->setup, grants, session->supervisor);
        compare_rest(&difference, session->setup.config, setup->config);
        pdk_plan_reopen_logs(session->plan);
        say_faults(session, &setup->report); /* warnings */
        say_difference(session, &difference);
        if (w) write_difference(w, &difference);
        take_over(serve, setup);
    }
    difference_free(&difference);
    return rc;
}

int32_t pdk_serve_reload(struct pdk_serve *serve, pdk_writer *w, pdk_error *err) {
    struct pdk_session *session = serve->session;
    pdk_error own = PDK_ERROR;
    if (!err) err = &own;
    if (session->asked) return pdk_failf(err, -ESHUTDOWN, NULL, "it is stopping");
    if (strcmp(session->arguments->files.items[0], "-") == 0) {
        pdk_run_talk(session, PDK_LOG_ERROR, "", "not reloaded: what came from standard input cannot be read again");
        return pdk_failf(err, -ENOTSUP, NULL, "what came from standard input cannot be read again");
    }
    pdk_notify_reloading(serve->notify);
    struct pdk_setup *setup = calloc(1, sizeof *setup);
    int32_t rc = setup ? read_again(serve, setup) : -ENOMEM;
    if (rc == -EINVAL)
        rc = refuse(session, &setup->report, err);
    else if (rc == 0 && (rc = change(serve, setup, w, err)) < 0)
        pdk_run_talk(session, PDK_LOG_ERROR, "", "not reloaded: %s; nothing has changed",
                     err->message[0] ? err->message : strerror(-rc));
    else if (rc < 0)
        pdk_run_talk(session, PDK_LOG_ERROR, "", "not reloaded: %s", strerror(-rc));
    if (rc < 0 && setup) {
        pdk_setup_free(setup);
        free(setup);
    }
    pdk_notify_say(serve->notify, "READY=1\nSTATUS=%s%u tasks declared", rc < 0 ? "last reload refused; " : "",
                   serve->setup->config->task_count);
    return rc;
}

int32_t pdk_serve_begin_anew(struct pdk_serve *serve, const char *task, pdk_error *err) {
    struct pdk_plan *wanted = NULL;
    int32_t rc = pdk_serve_select(serve, serve->setup, &wanted, err);
    return rc < 0 ? rc : pdk_plan_change(serve->session->plan, wanted, task, err);
}
