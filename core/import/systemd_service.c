/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a service, in a table. Those that need no words of their own are in systemd_keys.c. */
#include "core/import/systemd_service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/text.h"

#define MOST_GRACE PDK_DAY
#define LONGEST    (365 * PDK_DAY)

/* ---- commands */

/* Name of a task beside it: redis-pre. */
static struct pdk_import_task *beside(struct pdk_service *service, const char *word) {
    const char *name = pdk_import_format(service->import, "%.40s-%s", service->unit->stem, word);
    return pdk_import_task(service->import, name, service->unit->at);
}

static bool has_key(const struct pdk_unit *unit, const char *key) {
    for (const struct pdk_ini_line *line = unit->lines; line; line = line->next)
        if (line->key && *line->value && strcmp(line->section, "Service") == 0 && strcmp(line->key, key) == 0)
            return true;
    return false;
}

static void drop(struct pdk_import *import, struct pdk_import_task *task) {
    if (!task) return;
    task->dropped = true;
    if (!task->notes.first) return;
    if (import->notes.last)
        import->notes.last->next = task->notes.first;
    else
        import->notes.first = task->notes.first;
    import->notes.last = task->notes.last;
    task->notes = (struct pdk_import_notes){NULL, NULL};
}

/* The same user, folder and environment as the service itself. */
static void share(struct pdk_service *service, struct pdk_import_task *task, const struct pdk_exec *list) {
    static const char *const fields[] = {"env", "env_file", "cwd", "user"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!list->privileged || strcmp(fields[i], "user") != 0)
            pdk_import_share(service->import, task, service->task, fields[i]);
}

static void put_pre(struct pdk_service *service) {
    struct pdk_import *import = service->import;
    if (!service->pre_task) return;
    if (!service->pre) {
        drop(import, service->pre_task);
        return;
    }
    pdk_exec_put(import, service->pre_task, "command", service->pre, false);
    share(service, service->pre_task, service->pre);
    pdk_import_link(import, service->task, service->pre_task, true, service->pre->at);
    service->unit->pre = service->pre_task;
    if (service->restart)
        pdk_import_note(import, &service->pre_task->notes, service->pre->at,
                        "ExecStartPre= is done before the first start, not again before each restart");
}

static void put_post(struct pdk_service *service) {
    struct pdk_import_task *post = service->post ? beside(service, "post") : NULL;
    if (!post) return;
    service->unit->post = post;
    pdk_exec_put(service->import, post, "command", service->post, false);
    share(service, post, service->post);
    pdk_import_link(service->import, post, service->task, false, service->post->at);
}

static void put_start(struct pdk_service *service) {
    struct pdk_import *import = service->import;
    const struct pdk_exec *start = service->start;
    struct pdk_exec alone = start ? *start : (struct pdk_exec){0};
    if (!start) return;
    if (!start->next && start->ignore) {
        alone.ignore = false;
        for (size_t i = 0; i < 256; i++) service->codes[i] = PDK_EXIT_CODE_SUCCESS;
    }
    pdk_exec_put(import, service->task, "command", &alone, false);
    for (const struct pdk_exec *exec = start; exec; exec = exec->next)
        if (exec->privileged && pdk_import_find(service->task, "user"))
            pdk_import_note(import, &service->task->notes, exec->at,
                            "ExecStart= with + or ! runs as root, this as its user");
}

static void put_stop(struct pdk_service *service) {
    struct pdk_import *import = service->import;
    const char *name = pdk_exec_signal(service->stop);
    if (!service->stop) return;
    if (name) {
        if (strcmp(name, "TERM") != 0) (void)pdk_import_plain(import, service->task, "stop.signal", "%s", name);
        return;
    }
    if (service->unit->oneshot) {
        pdk_import_note(import, &service->task->notes, service->stop->at,
                        "ExecStop= of what has ended has no counterpart here");
        return;
    }
    service->stop->ignore &= service->stop->next != NULL; /* a failure is followed by the signal anyway */
    pdk_exec_put(import, service->task, "stop.command", service->stop, false);
    const struct pdk_import_node *sent = pdk_import_find(service->task, "stop.signal");
    if (!sent) return;
    pdk_import_note(import, &service->task->notes, service->stop->at, "it is stopped by a command, so not by %.20s",
                    sent->text);
    pdk_import_remove(service->task, "stop.signal");
}

static void put_reload(struct pdk_service *service) {
    const char *name = pdk_exec_signal(service->reload);
    if (!service->reload) return;
    if (name)
        (void)pdk_import_plain(service->import, service->task, "reload", "%s", name);
    else
        pdk_exec_put(service->import, service->task, "reload", service->reload, true);
}

/* ---- exit codes */

/* "1-63", "64": one item for each row of codes that are the same. */
static void put_codes(struct pdk_service *service, const char *path, enum pdk_exit_class class) {
    struct pdk_import *import = service->import;
    struct pdk_import_node *list = NULL, *item;
    for (unsigned first = 0, last; first < 256; first = last + 1) {
        last = first;
        if (service->codes[first] != class) continue;
        while (last < 255 && service->codes[last + 1] == class) last++;
        if (!list) list = pdk_import_list(import, service->task, path);
        item = pdk_import_item(import, list,
                               last > first ? pdk_import_format(import, "%u-%u", first, last)
                                            : pdk_import_format(import, "%u", first));
        if (item) item->plain = true;
    }
}

static bool any(const struct pdk_service *service, enum pdk_exit_class class) {
    for (unsigned code = 0; code < 256; code++)
        if (service->codes[code] == class) return true;
    return false;
}

static void put_exit(struct pdk_service *service) {
    for (unsigned code = 1; code < 256 && service->abnormal; code++)
        if (service->codes[code] == PDK_EXIT_CODE_NONE) service->codes[code] = PDK_EXIT_CODE_FATAL;
    if (any(service, PDK_EXIT_CODE_SUCCESS) && service->codes[0] == PDK_EXIT_CODE_NONE)
        service->codes[0] = PDK_EXIT_CODE_SUCCESS;
    put_codes(service, "exit.success", PDK_EXIT_CODE_SUCCESS);
    put_codes(service, "exit.retry", PDK_EXIT_CODE_RETRY);
    put_codes(service, "exit.fatal", PDK_EXIT_CODE_FATAL);
}

/* ---- policies */

static void put_restart(struct pdk_service *service) {
    struct pdk_import *import = service->import;
    if (!service->restart) {
        if (service->restart_line)
            pdk_unit_note(import, service->unit, service->restart_line, "says nothing without Restart=");
        return;
    }
    (void)pdk_import_plain(import, service->task, "restart", "%s", service->restart);
    if (service->pause > 0 && service->pause <= LONGEST)
        (void)pdk_import_plain(import, service->task, "backoff", "%s", pdk_import_duration(import, service->pause));
    if (!service->limit_given || service->burst == 0 || service->interval == 0) return;
    (void)pdk_import_plain(import, service->task, "retries.limit", "%u", (unsigned)service->burst);
    if (service->interval <= LONGEST)
        (void)pdk_import_plain(import, service->task, "retries.within", "%s",
                               pdk_import_duration(import, service->interval));
}

static void put_ready(struct pdk_service *service) {
    struct pdk_import *import = service->import;
    uint64_t limit =
        service->start_timeout == UINT64_MAX || service->start_timeout > LONGEST ? LONGEST : service->start_timeout;
    if (service->notify) {
        (void)pdk_import_plain(import, service->task, "ready.notify", "true");
        if (limit)
            (void)pdk_import_plain(import, service->task, "ready.within", "%s", pdk_import_duration(import, limit));
    } else if (service->unit->oneshot && limit && service->start_timeout <= LONGEST) {
        (void)pdk_import_plain(import, service->task, "timeout", "%s", pdk_import_duration(import, limit));
    } else if (limit && service->start_timeout <= LONGEST && service->timeout_line) {
        pdk_unit_note(import, service->unit, service->timeout_line, "says nothing where nothing tells that it is up");
    }
    if (service->run_limit && service->run_limit <= LONGEST)
        (void)pdk_import_plain(import, service->task, "timeout", "%s", pdk_import_duration(import, service->run_limit));
}

static void put_grace(struct pdk_service *service) {
    struct pdk_import *import = service->import;
    if (!service->stop_timeout || service->stop_timeout == 10 * PDK_SECOND) return;
    uint64_t grace = service->stop_timeout > MOST_GRACE ? MOST_GRACE : service->stop_timeout;
    (void)pdk_import_plain(import, service->task, "stop.grace", "%s", pdk_import_duration(import, grace));
    if (grace != service->stop_timeout)
        pdk_unit_note(import, service->unit, service->stop_line, "is longer than a stop may take: a day is the most");
}

/* User= and Group= are one field. */
static void put_user(struct pdk_service *service) {
    struct pdk_import *import = service->import;
    if (service->group)
        (void)pdk_import_set(
            import, service->task, "user",
            pdk_import_format(import, "%s:%s", service->user ? service->user : "root", service->group));
    else if (service->user)
        (void)pdk_import_set(import, service->task, "user", service->user);
}

/* ---- all of it */

static void take_lines(struct pdk_service *service) {
    struct pdk_import *import = service->import;
    for (service->line = service->unit->lines; service->line && !import->error; service->line = service->line->next) {
        const struct pdk_ini_line *line = service->line;
        const char *why = NULL;
        if (!line->key) continue;
        const struct pdk_unit_key *known = pdk_unit_key(line->section, line->key);
        if (!*line->value && !(known && known->empty)) {
            if (known && known->path) pdk_import_remove(service->task, known->path);
            continue;
        }
        service->key = known;
        service->value = line->value;
        if (known && !known->raw) service->value = pdk_unit_expand(import, service->unit, line->value, &why);
        if (!known)
            why = "has no counterpart here";
        else if (!why && service->value)
            why = known->take ? known->take(service) : known->why;
        if (why && !import->error) pdk_unit_note(import, service->unit, line, why);
    }
}

void pdk_service_translate(struct pdk_import *import, struct pdk_unit *unit) {
    struct pdk_service service = {.import = import, .unit = unit, .interval = 10 * PDK_SECOND, .burst = 5};
    if (has_key(unit, "ExecStartPre")) service.pre_task = beside(&service, "pre");
    unit->task = service.task = pdk_import_task(import, unit->stem, unit->at);
    if (!unit->task) return;
    take_lines(&service);
    if (import->error) return;
    if (!service.start) {
        pdk_import_note(import, &unit->task->notes, unit->at, "%.80s has no ExecStart=, so nothing to run", unit->name);
        drop(import, unit->task);
        drop(import, service.pre_task);
        return;
    }
    put_user(&service);
    put_start(&service);
    put_restart(&service);
    put_ready(&service);
    put_stop(&service);
    put_grace(&service);
    put_reload(&service);
    put_exit(&service);
    put_pre(&service);
    put_post(&service);
    if (unit->instance && !*unit->instance)
        pdk_import_note(import, &unit->task->notes, unit->at, "a template: set INSTANCE when it is run");
}
