/* SPDX-License-Identifier: Apache-2.0 */
/* Why a runner takes a task or does not, for people: `paddock route`, and the fault when none does. */
#include <errno.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/text.h"
#include "internal.h"

enum { TEXT_MAX = 1024, NAMED_MAX = 3 };

struct explaining {
    struct pdk_task *task;
    pdk_router_reason each;
    void *arg;
};

/* "zone=sandbox", or "no zone". */
static void print_label(struct pdk_buffer *text, const struct pdk_instance *instance, const char *key) {
    const char *value = pdk_value_text(pdk_values_get()->get(instance->labels, key));

    if (value)
        pdk_buffer_format(text, "%s=%s", key, value);
    else
        pdk_buffer_format(text, "no %s", key);
}

static void print_kind(struct pdk_buffer *text, const struct pdk_instance *instance, const struct pdk_task *task) {
    pdk_buffer_text(text, "serves ");
    for (const pdk_schema *const *kinds = instance->plugin->runner->kinds; *kinds; kinds++)
        pdk_buffer_format(text, "%s%s", kinds == instance->plugin->runner->kinds ? "" : " ", (*kinds)->name);
    pdk_buffer_format(text, ", not %s", task->plugin.kind);
}

static void print_failed(struct pdk_buffer *text, const struct pdk_instance *instance,
                         const struct pdk_requirement *failed) {
    char wanted[256];

    print_label(text, instance, failed->key);
    pdk_buffer_format(text, ", wanted %s", pdk_requirement_print(failed, wanted, sizeof wanted));
}

/* The labels that the selector asked for; a runner may have been taken for the lack of one, too. */
static void print_taken(struct pdk_buffer *text, const struct pdk_instance *instance, const struct pdk_task *task) {
    const struct pdk_selector *selector = &task->selector;

    for (uint32_t i = 0; i < selector->count; i++) {
        if (i > 0) pdk_buffer_text(text, ", ");
        print_label(text, instance, selector->requirements[i].key);
    }
    if (selector->count == 0) pdk_buffer_format(text, "the first that serves %s", task->plugin.kind);
}

/* Ask again, this time for the reason. */
static void print_refused(struct pdk_buffer *text, const struct pdk_instance *instance, const struct pdk_task *task) {
    pdk_error why = PDK_ERROR;

    instance->plugin->runner->supports(instance->self, &task->plugin, &why);
    why.message[sizeof why.message - 1] = '\0';
    pdk_buffer_text(text, why.message[0] ? why.message : "it does not support this task");
}

static void explain(void *arg, void *runner, enum pdk_verdict verdict, const struct pdk_requirement *failed) {
    const struct explaining *explaining = arg;
    struct pdk_buffer text = PDK_BUFFER(TEXT_MAX);

    switch (verdict) {
    case PDK_VERDICT_TAKEN: print_taken(&text, runner, explaining->task); break;
    case PDK_VERDICT_SHADOWED: pdk_buffer_text(&text, "would also match; order decides"); break;
    case PDK_VERDICT_KIND: print_kind(&text, runner, explaining->task); break;
    case PDK_VERDICT_LABEL: print_failed(&text, runner, failed); break;
    case PDK_VERDICT_REFUSED: print_refused(&text, runner, explaining->task); break;
    }
    explaining->each(explaining->arg, runner, verdict, pdk_buffer_string(&text));
    pdk_buffer_free(&text);
}

void pdk_router_explain_task(pdk_router *router, struct pdk_task *task, pdk_router_reason each, void *arg) {
    struct explaining explaining = {task, each, arg};

    pdk_routes_explain(router->routes, task->plugin.kind, &task->selector, pdk_router_accepts, task, explain,
                       &explaining);
}

static const char *const words[] = {[PDK_VERDICT_TAKEN] = "taken",
                                    [PDK_VERDICT_SHADOWED] = "shadowed",
                                    [PDK_VERDICT_KIND] = "kind",
                                    [PDK_VERDICT_LABEL] = "label",
                                    [PDK_VERDICT_REFUSED] = "refused"};

const char *pdk_verdict_word(enum pdk_verdict verdict) {
    return words[verdict];
}

/* The field of the spec that is at fault: the whole of it, when the field was not written. */
static const pdk_value *field(const struct pdk_task *task, const char *name) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *value = v->type(task->source) == PDK_MAP ? v->get(task->source, name) : NULL;

    return value ? value : task->source;
}

static int32_t no_such_kind(const pdk_router *router, const struct pdk_task *task, struct pdk_report *report) {
    const char *const *kinds = pdk_routes_kinds(router->routes);
    struct pdk_buffer expected = PDK_BUFFER(TEXT_MAX);
    int32_t rc;

    pdk_buffer_text(&expected, kinds[0] ? "loaded: " : "no runner is loaded");
    for (size_t i = 0; kinds[i]; i++) pdk_buffer_format(&expected, "%s%s", i ? ", " : "", kinds[i]);
    rc = pdk_value_fault(report, -ENOENT, field(task, "kind"), pdk_buffer_string(&expected),
                         pdk_nearest(task->plugin.kind, kinds), "no runner serves \"%s\"", task->plugin.kind);
    pdk_buffer_free(&expected);
    return rc;
}

struct refusals {
    struct pdk_buffer text;
    const struct pdk_task *task;
    uint32_t count;
};

static void gather(void *arg, void *runner, enum pdk_verdict verdict, const struct pdk_requirement *failed) {
    struct refusals *refusals = arg;
    const struct pdk_instance *instance = runner;

    if (verdict != PDK_VERDICT_LABEL && verdict != PDK_VERDICT_REFUSED) return;
    if (refusals->count++ >= NAMED_MAX) return;
    pdk_buffer_format(&refusals->text, "%s%s", refusals->count > 1 ? ", " : "", instance->name);
    pdk_buffer_text(&refusals->text, verdict == PDK_VERDICT_LABEL ? " has " : ": ");
    if (verdict == PDK_VERDICT_LABEL)
        print_label(&refusals->text, instance, failed->key);
    else
        print_refused(&refusals->text, instance, refusals->task);
}

static int32_t no_match(const pdk_router *router, struct pdk_task *task, struct pdk_report *report) {
    struct refusals refusals = {PDK_BUFFER(TEXT_MAX), task, 0};
    int32_t rc;

    pdk_routes_explain(router->routes, task->plugin.kind, &task->selector, pdk_router_accepts, task, gather, &refusals);
    if (refusals.count > NAMED_MAX) pdk_buffer_format(&refusals.text, ", and %u more no", refusals.count - NAMED_MAX);
    pdk_buffer_format(&refusals.text, "; \"paddock route %s\" shows every no", task->plugin.name);
    rc =
        pdk_value_fault(report, -ENOENT, task->selector.at ? task->selector.at : field(task, "selector"),
                        pdk_buffer_string(&refusals.text), NULL, "no runner of kind \"%s\" matches", task->plugin.kind);
    pdk_buffer_free(&refusals.text);
    return rc;
}

int32_t pdk_router_no_runner(pdk_router *router, struct pdk_task *task, struct pdk_report *report) {
    const char *const *kinds = pdk_routes_kinds(router->routes);

    if (!report) return -ENOENT;
    for (; *kinds; kinds++)
        if (strcmp(*kinds, task->plugin.kind) == 0) return no_match(router, task, report);
    return no_such_kind(router, task, report);
}
