/* SPDX-License-Identifier: Apache-2.0 */
/* Specs that were read and routed once. Many jobs have the same one, and differ in their input. */
#include <errno.h>
#include <stdlib.h>

#include "instance.h"

static struct queue_template *place(struct queue *queue, const char *text) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return &queue->templates[(hash ^ hash >> 32) % QUEUE_TEMPLATES];
}

static void clear(struct queue *queue, struct queue_template *template) {
    if (!template->text) return;
    queue->source->release(queue->source, template->base);
    free(template->text);
    template->text = NULL;
}

static int32_t prepare(struct queue *queue, const char *text, const pdk_value *spec, const pdk_template **ret,
                       pdk_error *err) {
    const pdk_values *values = queue->host->values;
    const pdk_value *parsed = NULL;
    int32_t rc = spec ? 0 : values->parse(values, text, strlen(text), "queue", &parsed, err);
    if (rc == 0) rc = queue->source->prepare(queue->source, spec ? spec : parsed, ret, err);
    if (parsed) err->at = NULL; /* it points into what goes now */
    values->drop(parsed);
    return rc;
}

int32_t queue_template_get(struct queue *queue, const char *text, const pdk_value *spec, const pdk_template **ret,
                           bool *ret_once, pdk_error *err) {
    struct queue_template *template = place(queue, text);
    char *copy;
    *ret_once = false;
    if (template->text && strcmp(template->text, text) == 0) {
        *ret = template->base;
        return 0;
    }
    int32_t rc = prepare(queue, text, spec, ret, err);
    if (rc < 0) return rc;
    *ret_once = true;
    copy = strlen(text) < QUEUE_TEMPLATE_SIZE ? strdup(text) : NULL;
    if (!copy) return 0;
    clear(queue, template);
    *template = (struct queue_template){copy, *ret};
    *ret_once = false;
    return 0;
}

void queue_templates_free(struct queue *queue) {
    for (size_t i = 0; i < QUEUE_TEMPLATES; i++) clear(queue, &queue->templates[i]);
}
