/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When does an attempt count as up? A probe looks at one attempt at a time; what comes back late, from a job or a
 * child begun for an earlier one, is noticed by its number and dropped.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/plan/probe.h"
#include "paddock/helpers.h"

#define LONGEST_LINE (1u << 20)

static const pdk_loop *loop_of(const struct pdk_probe *probe) {
    return probe->item->plan->loop;
}

static void stop(struct pdk_probe *probe, pdk_watch *watch) {
    loop_of(probe)->stop(loop_of(probe), *watch);
    *watch = 0;
}

static void after(struct pdk_probe *probe, uint64_t delay, void (*fire)(void *), pdk_watch *watch) {
    stop(probe, watch);
    if (loop_of(probe)->timer(loop_of(probe), delay, 0, fire, probe, watch) < 0)
        pdk_plan_warn(probe->item->plan, "%s: out of memory for its readiness check", probe->item->name);
}

/* It is up: look no more, and tell. */
void pdk_probe_passed(struct pdk_probe *probe) {
    struct pdk_item *item = probe->item;
    if (!probe->attempt) return;
    pdk_probe_end(item);
    pdk_follow_ready(item);
    if (item->ready) pdk_follow_plan_event(item, PDK_EVENT_READY, "");
}

static void again(void *arg) {
    struct pdk_probe *probe = arg;
    probe->again = 0;
    if (probe->check->kind == PDK_CHECK_TCP)
        pdk_probe_connect(probe);
    else
        pdk_probe_command(probe);
}

/* Not yet: look again after `every`. */
void pdk_probe_not_yet(struct pdk_probe *probe, const char *why) {
    if (!probe->attempt) return;
    (void)strlcpy(probe->why, why, sizeof probe->why);
    after(probe, probe->check->every, again, &probe->again);
}

static void too_late(void *arg) {
    struct pdk_probe *probe = arg;
    struct pdk_item *item = probe->item;
    char within[32], text[300];
    probe->within = 0;
    (void)snprintf(text, sizeof text, "not ready within %s%s%s",
                   pdk_duration_about(probe->check->within, within, sizeof within), probe->why[0] ? ": " : "",
                   probe->why);
    pdk_probe_end(item);
    (void)pdk_supervisor_fail_attempt(item->plan->options.supervisor, item->run, "not_ready", text);
}

static void survived(void *arg) {
    struct pdk_probe *probe = arg;
    probe->again = 0;
    pdk_probe_passed(probe);
}

/* An attempt has started: begin to look. */
void pdk_probe_begin(struct pdk_item *item) {
    struct pdk_probe *probe = item->probe;
    pdk_probe_end(item);
    probe->attempt = item->attempt;
    probe->why[0] = '\0';
    const struct pdk_check *check = probe->check;
    if (check->kind == PDK_CHECK_AFTER) {
        after(probe, check->after, survived, &probe->again);
        return;
    }
    if (check->within) after(probe, check->within, too_late, &probe->within);
    if (check->kind == PDK_CHECK_TCP)
        pdk_probe_connect(probe);
    else if (check->kind == PDK_CHECK_COMMAND)
        pdk_probe_command(probe);
}

/* The attempt has ended, or its question is answered. */
void pdk_probe_end(struct pdk_item *item) {
    struct pdk_probe *probe = item->probe;
    if (!probe) return;
    probe->attempt = 0;
    stop(probe, &probe->within);
    stop(probe, &probe->again);
    stop(probe, &probe->timeout);
    pdk_probe_tcp_end(probe);
    pdk_probe_command_end(probe);
}

/* A line that it printed; one that is longer than the supervisor's limit comes in parts, each matched by itself. */
void pdk_probe_line(struct pdk_item *item, const char *data, size_t size) {
    struct pdk_probe *probe = item->probe;
    if (!probe->attempt || !probe->compiled) return;
    pdk_buffer_cut(&probe->line, probe->line.size);
    probe->line.error = 0;
    pdk_buffer_add(&probe->line, data, size);
    if (regexec(&probe->regex, pdk_buffer_string(&probe->line), 0, NULL, 0) == 0) pdk_probe_passed(probe);
}

static int32_t compile(struct pdk_probe *probe, pdk_error *err) {
    char why[200];
    int code = regcomp(&probe->regex, probe->check->line, REG_EXTENDED | REG_NOSUB);
    if (code == 0) {
        probe->compiled = true;
        return 0;
    }
    (void)regerror(code, &probe->regex, why, sizeof why);
    return pdk_failf(err, -EINVAL, NULL, "%s: ready.line \"%s\": %s", probe->item->name, probe->check->line, why);
}

int32_t pdk_probe_create(struct pdk_item *item, pdk_error *err) {
    struct pdk_probe *probe = calloc(1, sizeof *probe);
    if (!probe) return -ENOMEM;
    probe->item = item;
    probe->check = &item->task->ready;
    probe->fd = -1;
    probe->line = PDK_BUFFER(LONGEST_LINE);
    item->probe = probe;
    return probe->check->kind == PDK_CHECK_LINE ? compile(probe, err) : 0;
}

bool pdk_probe_idle(const struct pdk_probe *probe) {
    return !probe || (!probe->resolving && !probe->running);
}

void pdk_probe_free(struct pdk_probe *probe) {
    if (!probe) return;
    if (probe->compiled) regfree(&probe->regex);
    pdk_probe_tcp_free(probe);
    pdk_buffer_free(&probe->line);
    free(probe);
}
