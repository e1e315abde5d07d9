/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of instances, whatever role they play. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/spec/schema.h"
#include "core/verify/internal.h"

void pdk_check_create(struct pdk_verify *v) {
    pdk_test *t = pdk_play_load(v, 0);
    if (t) pdk_play_end(v, t);
}

/* What PURE says of create is said while it is made; of supports and build_task there are checks of their own. */
void pdk_check_pure_create(struct pdk_verify *v) {
    pdk_check_create(v);
}

void pdk_check_alone(struct pdk_verify *v) {
    pdk_test_options options = PDK_TEST_OPTIONS(PDK_TEST_NO_SERVICES | PDK_TEST_KEEPS_HEAP, v->subject->config);
    pdk_error err = PDK_ERROR;
    pdk_test *with = pdk_play_load(v, 0), *alone;
    if (!with) return;
    pdk_play_end(v, with);
    alone = pdk_test_load(v->subject->path, &options, &err);
    if (!alone) pdk_verify_fail(v, "without services create answers %s (%s)", err.message, strerror(-err.code));
    if (!alone) return;
    if (v->plugin->runner) {
        v->kind = v->plugin->runner->kinds[0]->name;
        pdk_test_destroy(pdk_play_build(v, alone));
    }
    (void)pdk_test_end(alone);
}

static void play_first_kind(struct pdk_verify *v, pdk_test *t) {
    if (!v->plugin->runner || !pdk_verify_is_open(v)) return;
    v->kind = v->subject->kind ? v->subject->kind : v->plugin->runner->kinds[0]->name;
    pdk_play_task(v, t);
}

void pdk_check_two_instances(struct pdk_verify *v) {
    pdk_test *a = pdk_play_load(v, 0), *b = a ? pdk_play_load(v, 0) : NULL;
    pdk_error err = PDK_ERROR;
    if (a && b && pdk_test_self(a) && pdk_test_self(a) == pdk_test_self(b))
        pdk_verify_fail(v, "create gave the same instance twice");
    if (b && pdk_verify_is_open(v)) {
        if (pdk_test_open(a, &err) < 0 || pdk_test_open(b, &err) < 0)
            pdk_verify_skip(v, "a second instance does not start: %s", err.message);
        play_first_kind(v, b);
        play_first_kind(v, a);
        pdk_play_end(v, a);
        play_first_kind(v, b);
        pdk_play_end(v, b);
        return;
    }
    if (a) pdk_play_end(v, a);
    if (b && pdk_test_self(a) != pdk_test_self(b)) pdk_play_end(v, b);
}

static void create_once(struct pdk_verify *v) {
    pdk_check_create(v);
}

void pdk_check_create_cycles(struct pdk_verify *v) {
    pdk_play_cycles(v, create_once);
}

static void create_without_memory(struct pdk_verify *v) {
    pdk_test_options options = PDK_TEST_OPTIONS(PDK_TEST_KEEPS_HEAP, v->subject->config);
    pdk_error err = PDK_ERROR;
    pdk_test *t;
    (void)strlcpy(v->result->where, "create", sizeof v->result->where);
    t = v->allocation ? pdk_test_load(v->subject->path, &options, &err) : pdk_play_load(v, 0);
    if (!t && v->allocation && err.code != -ENOMEM)
        pdk_verify_fail(v, "create answered %s, not -ENOMEM", strerror(-err.code));
    pdk_play_heal();
    if (t) pdk_play_end(v, t);
}

void pdk_check_create_memory(struct pdk_verify *v) {
    pdk_play_memory(v, create_without_memory);
}

/* ---- schemas ---- */

static int32_t try_schema(struct pdk_verify *v, const pdk_schema *schema, const char *json, char *why, size_t size) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *given = NULL, *completed = NULL;
    struct pdk_report report = {.limit = 1};
    int32_t rc = values->parse(values, json, strlen(json), "verify", &given, NULL);
    if (rc == 0) rc = pdk_schema_check(schema, v->plugin->name, given, &report, &completed);
    why[0] = '\0';
    if (rc && report.count) (void)strlcpy(why, report.faults[0].message, size);
    values->drop(completed);
    values->drop(given);
    pdk_report_free(&report);
    return rc;
}

static void check_row(struct pdk_verify *v, const pdk_schema *schema, const pdk_param *row, const char *of) {
    char json[256], why[512];
    bool list = row->type == PDK_LIST || row->type == PDK_STRINGS;
    if (row->type != PDK_ANY && row->type != PDK_STRING_MAP && row->type != PDK_MAP) {
        (void)snprintf(json, sizeof json, "{\"%.200s\": {\"\": %s}}", row->name, list ? "1" : "[[]]");
        if (!try_schema(v, schema, json, why, sizeof why))
            pdk_verify_fail(v, "%s.%s takes a value of another type: %s", of, row->name, json);
    }
    if (!row->doc || !*row->doc) pdk_verify_fail(v, "%s.%s has no doc line", of, row->name);
}

static void check_schema(struct pdk_verify *v, const pdk_schema *schema, const char *of) {
    const pdk_param *row;
    char why[512];
    if (!schema) return;
    if (!try_schema(v, schema, "{\"no-such-field-anywhere\": 1}", why, sizeof why))
        pdk_verify_fail(v, "%s takes a field that it does not have", of);
    for (size_t i = 0; schema->params && (row = pdk_param_at(schema->params, schema->param_size, i)); i++)
        check_row(v, schema, row, of);
}

void pdk_check_schemas(struct pdk_verify *v) {
    const pdk_schema *const *kinds = v->plugin->runner ? v->plugin->runner->kinds : NULL;
    check_schema(v, v->plugin->config, "config");
    for (; kinds && *kinds; kinds++) check_schema(v, *kinds, (*kinds)->name);
}

/* ---- the process that it lives in ---- */

void pdk_check_life(struct pdk_verify *v) {
    pdk_play_life(v);
}

/* Both streams into a file that is looked at behind. */
void pdk_check_streams(struct pdk_verify *v) {
    int file = memfd_create("streams", MFD_CLOEXEC), kept[2];
    char text[200] = "";
    ssize_t size;
    (void)fflush(NULL);
    if (file < 0) {
        pdk_verify_skip(v, "no file in memory: %s", strerror(errno));
        return;
    }
    for (int fd = 1; fd <= 2; fd++) {
        kept[fd - 1] = dup(fd);
        (void)dup2(file, fd);
    }
    pdk_play_life(v);
    (void)fflush(NULL);
    for (int fd = 1; fd <= 2; fd++) {
        (void)dup2(kept[fd - 1], fd);
        close(kept[fd - 1]);
    }
    size = pread(file, text, sizeof text - 1, 0);
    close(file);
    if (size <= 0) return;
    text[strcspn(text, "\n")] = '\0';
    pdk_verify_fail(v, "it wrote: %s", text);
}

struct surroundings {
    char folder[4096], locale[512];
    struct sigaction handlers[65];
    sigset_t blocked;
    mode_t mask;
    struct pdk_buffer environment;
};

static void observe(struct surroundings *s) {
    extern char **environ;
    const char *locale = setlocale(LC_ALL, NULL);
    if (!getcwd(s->folder, sizeof s->folder)) s->folder[0] = '\0';
    (void)strlcpy(s->locale, locale ? locale : "", sizeof s->locale);
    for (int i = 1; i < 65; i++) (void)sigaction(i, NULL, &s->handlers[i]);
    (void)sigprocmask(SIG_BLOCK, NULL, &s->blocked);
    s->mask = umask(0);
    (void)umask(s->mask);
    s->environment = PDK_BUFFER(1u << 22);
    for (char **entry = environ; entry && *entry; entry++) pdk_buffer_format(&s->environment, "%s\n", *entry);
}

static void compare(struct pdk_verify *v, const struct surroundings *a, const struct surroundings *b) {
    if (strcmp(a->folder, b->folder) != 0) pdk_verify_fail(v, "the folder was changed to %s", b->folder);
    if (strcmp(a->locale, b->locale) != 0) pdk_verify_fail(v, "the locale was changed to %.200s", b->locale);
    if (a->mask != b->mask) pdk_verify_fail(v, "the umask was changed to %03o", (unsigned)b->mask);
    if (memcmp(&a->blocked, &b->blocked, sizeof a->blocked) != 0) pdk_verify_fail(v, "signals were blocked or let in");
    for (int i = 1; i < 65; i++)
        if (a->handlers[i].sa_handler != b->handlers[i].sa_handler ||
            a->handlers[i].sa_flags != b->handlers[i].sa_flags)
            pdk_verify_fail(v, "the handler of SIG%s was changed", sigabbrev_np(i) ? sigabbrev_np(i) : "RT");
    if (strcmp(pdk_buffer_string(&a->environment), pdk_buffer_string(&b->environment)) != 0)
        pdk_verify_fail(v, "the environment was changed");
}

void pdk_check_process(struct pdk_verify *v) {
    static struct surroundings before, after;
    observe(&before);
    pdk_play_life(v);
    observe(&after);
    compare(v, &before, &after);
    pdk_buffer_free(&before.environment);
    pdk_buffer_free(&after.environment);
}

void pdk_check_extension(struct pdk_verify *v) {
    pdk_test *t = pdk_play_load(v, 0);
    if (!t) return;
    if (v->plugin->get_extension && v->plugin->get_extension(pdk_test_self(t), "org.example.no-such-extension/1"))
        pdk_verify_fail(v, "it has something for an id that nobody knows");
    pdk_play_end(v, t);
}

void pdk_check_stop(struct pdk_verify *v) {
    pdk_test *t;
    pdk_error err = PDK_ERROR;
    if (!v->plugin->start && !v->plugin->stop) {
        pdk_verify_skip(v, "it has neither start nor stop");
        return;
    }
    t = pdk_play_load(v, 0);
    if (!t) return;
    if (pdk_test_open(t, &err) < 0) pdk_verify_skip(v, "the instance does not start: %s", err.message);
    if (v->plugin->start) (void)pdk_test_wait_health(t, PDK_UP);
    (void)pdk_test_close(t);
    for (int i = 0; i < 20; i++) (void)pdk_test_step(t);
    pdk_play_end(v, t);
}

/* Where a value is got there is a way out that forgets it, and most of them are taken when something goes wrong. */
void pdk_check_owned(struct pdk_verify *v) {
    static void (*const lives[])(struct pdk_verify * v) = {
        pdk_check_refusals,     pdk_check_cancel,      pdk_check_kill,       pdk_check_pool_busy,
        pdk_check_job_canceled, pdk_check_spawn_fails, pdk_check_loop_fails,
    };
    pdk_play_life(v);
    v->rules_alone = true;
    for (size_t i = 0; v->plugin->runner && i < sizeof lives / sizeof *lives && pdk_verify_is_open(v); i++) {
        v->children = 0;
        v->ending = PDK_END_ALONE;
        lives[i](v);
    }
    bool brings = v->plugin->source && !v->dry;
    if (brings && pdk_verify_is_open(v)) pdk_check_source_settled(v);
    if (brings && pdk_verify_is_open(v)) pdk_check_source_invalid(v);
    if (v->plugin->metrics && pdk_verify_is_open(v)) pdk_check_values(v);
    v->rules_alone = false;
}

void pdk_check_level(struct pdk_verify *v) {
    pdk_play_level(v, pdk_play_life);
}
