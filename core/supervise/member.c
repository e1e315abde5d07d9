/* SPDX-License-Identifier: Apache-2.0 */
/* Instances of plugins as the supervisor sees them: what they are allowed, how they are, how they behave. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"
#include "paddock/helpers.h"

enum { DEFAULT_PENDING = 1000 };

static void set_limits(struct pdk_member *member, const struct pdk_instance_limits *limits) {
    member->limits = *limits;
    if (!member->limits.pending) member->limits.pending = DEFAULT_PENDING;
}

static struct pdk_limit_entry *find_limits(const struct pdk_supervisor *s, const char *name) {
    struct pdk_limit_entry *entry;
    SLIST_FOREACH(entry, &s->limits, next) {
        if (!strcmp(entry->name, name)) return entry;
    }
    return NULL;
}

/* A plugin may ask for services while it is being created, so its member is made when it is first needed. */
struct pdk_member *pdk_member_of(struct pdk_supervisor *s, struct pdk_instance *instance) {
    static const struct pdk_instance_limits none;
    if (instance->owner_data) return instance->owner_data;
    struct pdk_member *member = calloc(1, sizeof *member);
    if (!member) return NULL;
    member->supervisor = s;
    member->instance = instance;
    member->health = -1;
    TAILQ_INIT(&member->ready);
    struct pdk_limit_entry *entry = find_limits(s, instance->name);
    set_limits(member, entry ? &entry->limits : &none);
    member->hears_progress = instance->plugin->source && PDK_HAS(instance->plugin->source, progress);
    pdk_source_table(member);
    pdk_metrics_table(member);
    pdk_control_table(s, &member->control);
    TAILQ_INSERT_TAIL(&s->members, member, all);
    instance->owner_data = member;
    return member;
}

void pdk_member_drop(struct pdk_member *member) {
    pdk_events_forget(member->supervisor, member);
    TAILQ_REMOVE(&member->supervisor->members, member, all);
    free(member);
}

int32_t pdk_supervisor_limit(pdk_supervisor *supervisor, const char *instance,
                             const struct pdk_instance_limits *limits) {
    struct pdk_limit_entry *entry = find_limits(supervisor, instance);
    struct pdk_member *member;
    if (!entry) {
        size_t size = strlen(instance) + 1;
        entry = calloc(1, sizeof *entry + size);
        if (!entry) return -ENOMEM;
        memcpy(entry->name, instance, size);
        SLIST_INSERT_HEAD(&supervisor->limits, entry, next);
    }
    entry->limits = *limits;
    TAILQ_FOREACH(member, &supervisor->members, all) {
        if (!strcmp(member->instance->name, instance)) set_limits(member, limits);
    }
    pdk_wake(supervisor);
    return 0;
}

bool pdk_member_is_source(const struct pdk_member *member) {
    return member->instance->host.roles & PDK_ROLE_SOURCE && member->instance->plugin->source;
}

void pdk_member_misbehaves(struct pdk_member *member, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    uint64_t count = atomic_fetch_add_explicit(&member->misbehaved, 1, memory_order_relaxed) + 1;
    if (count > 8 && (count & (count - 1))) return; /* whoever does nothing else is told of less and less often */
    pdk_log_line(&member->supervisor->log, PDK_LOG_BUG, member->instance->name, "", "plugin %s misbehaves: %s",
                 member->instance->name, text);
}

void pdk_member_health(struct pdk_member *member, int32_t state, const char *text) {
    struct pdk_supervisor *s = member->supervisor;
    if (state < PDK_UP || state > PDK_DOWN) {
        pdk_member_misbehaves(member, "health %d is none of PDK_UP, PDK_DEGRADED and PDK_DOWN", state);
        return;
    }
    pthread_mutex_lock(&s->health_lock);
    member->health = state;
    member->health_new = true;
    (void)strlcpy(member->health_text, text ? text : "", sizeof member->health_text);
    pthread_mutex_unlock(&s->health_lock);
    atomic_store(&s->health_new, 1);
    pdk_poke(s);
}

static void take_health(struct pdk_supervisor *s, struct pdk_member *member) {
    char text[sizeof member->health_text];
    pthread_mutex_lock(&s->health_lock);
    bool is_new = member->health_new;
    int32_t state = member->health;
    member->health_new = false;
    memcpy(text, member->health_text, sizeof text);
    pthread_mutex_unlock(&s->health_lock);
    if (!is_new) return;
    member->heard = true;
    atomic_store(&member->instance->health, state);
    pdk_meter_set(member->meter.up, state != PDK_DOWN);
    pdk_meter_set(member->meter.source_up, state != PDK_DOWN);
    pdk_emit(s, NULL,
             &(struct pdk_event_args){.kind = PDK_EVENT_HEALTH, .status = state, .subject = member->instance->name},
             "%s", text);
}

void pdk_members_health(struct pdk_supervisor *s) {
    struct pdk_member *member;
    if (!atomic_load_explicit(&s->health_new, memory_order_relaxed)) return;
    atomic_store(&s->health_new, 0);
    TAILQ_FOREACH(member, &s->members, all) take_health(s, member);
}

void pdk_supervisor_instance_hosted(pdk_supervisor *supervisor, struct pdk_instance *instance,
                                    const struct pdk_hosted_ops *ops, void *arg) {
    struct pdk_member *member = pdk_member_of(supervisor, instance);
    if (!member) return;
    member->hosted = ops;
    member->hosted_arg = arg;
}
