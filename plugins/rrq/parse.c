/* SPDX-License-Identifier: Apache-2.0 */
#include "parse.h"

#include <stdlib.h>

struct pdk_rrq_parse {
    pdk_job job;
    struct pdk_rrq_parses *parses;
    struct pdk_rrq_buffer text; /* begins with the frame */
    size_t size;                /* of its body */
    pdk_rrq_parsed *done;       /* NULL: nobody waits */
    void *arg;
    const pdk_value *value;
    pdk_error err;
};

static void parse_free(struct pdk_rrq_parse *parse) {
    pdk_rrq_buffer_free(&parse->text);
    free(parse);
}

/* On a thread of the pool, which frees the text, too. */
static void work(void *arg) {
    struct pdk_rrq_parse *parse = arg;
    const pdk_values *values = parse->parses->host->values;
    const char *body = parse->text.data + parse->text.start + PDK_RRQ_HEAD;
    if (values->parse(values, body, parse->size, "rrq", &parse->value, &parse->err) < 0) parse->value = NULL;
    pdk_rrq_buffer_free(&parse->text);
}

static void parsed(void *arg, int32_t status) {
    struct pdk_rrq_parse *parse = arg;
    struct pdk_rrq_parses *parses = parse->parses;
    if (status < 0) (void)pdk_fail(&parse->err, status, NULL, "it could not be parsed", NULL, NULL);
    if (parse->done) parse->done(parse->arg, parse->value, &parse->err, PDK_RRQ_HEAD + parse->size);
    parses->host->values->drop(parse->value);
    parse_free(parse);
    parses->count--;
    if (parses->over) parses->over(parses->arg);
}

static int32_t take_text(struct pdk_rrq_parse *parse, const struct pdk_rrq_frame *frame, struct pdk_rrq_buffer *in) {
    struct pdk_rrq_buffer rest = {NULL, 0, 0, 0};
    const pdk_pool *pool = parse->parses->pool;
    int32_t rc = pdk_rrq_buffer_add(&rest, in->data + in->start + frame->whole, in->size - frame->whole);
    if (rc == 0) {
        parse->text = *in; /* the thread may begin before submit returns */
        rc = pool->submit(pool, &parse->job);
    }
    if (rc == 0) {
        *in = rest;
        return 0;
    }
    parse->text = (struct pdk_rrq_buffer){NULL, 0, 0, 0};
    pdk_rrq_buffer_free(&rest);
    return rc;
}

struct pdk_rrq_parse *pdk_rrq_parse_begin(struct pdk_rrq_parses *parses, const struct pdk_rrq_frame *frame,
                                          struct pdk_rrq_buffer *in, pdk_rrq_parsed *done, void *arg) {
    if (frame->size < PDK_RRQ_LARGE || !parses->pool) return NULL;
    struct pdk_rrq_parse *parse = calloc(1, sizeof *parse);
    if (!parse) return NULL;
    parse->job = (pdk_job){.struct_size = sizeof parse->job, .work = work, .done = parsed, .arg = parse};
    parse->err = (pdk_error)PDK_ERROR;
    parse->parses = parses;
    parse->size = frame->size;
    parse->done = done;
    parse->arg = arg;
    if (take_text(parse, frame, in) < 0) {
        parse_free(parse);
        return NULL;
    }
    parses->count++;
    return parse;
}

void pdk_rrq_parse_forget(struct pdk_rrq_parse *parse) {
    if (parse) parse->done = NULL;
}
