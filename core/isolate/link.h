/* SPDX-License-Identifier: Apache-2.0 */
/* One paddock-host: started, greeted, talked to, ended. What is said over it is others' affair. [main] */
#ifndef CORE_ISOLATE_LINK_H
#define CORE_ISOLATE_LINK_H

#include "core/isolate/jail.h"
#include "core/value/value.h"
#include "core/wire/wire.h"

struct pdk_link;

/* How it ended. */
struct pdk_link_end {
    int32_t pid;      /* 0: it never ran */
    bool asked;       /* it was told to, by pdk_link_hang_up, and did so well */
    const char *text; /* "was killed by SEGV"; lives during the call */
};

struct pdk_link_ops {
    void (*frame)(void *arg, const struct pdk_frame *frame); /* all but HELLO */
    void (*line)(void *arg, const char *text);               /* it printed one */
    void (*ended)(void *arg,
                  const struct pdk_link_end *end); /* it is over, for all it had started; the link is freed */
};

struct pdk_link_options {
    const pdk_loop *loop;
    const pdk_process *process;
    const char *program;         /* paddock-host */
    const char *instance, *file; /* file: of the plugin */
    const char *name, *version;  /* of our program */
    const pdk_value *config;
    const struct pdk_jail *jail; /* NULL: none of the limits */
    bool metrics;                /* somebody records what it counts */
    const struct pdk_link_ops *ops;
    void *arg;
};

/* Begin. The hello, and the config with it, is on its way; messages may follow at once. */
int32_t pdk_link_open(const struct pdk_link_options *options, struct pdk_link **ret, pdk_error *err);

int32_t pdk_link_send(struct pdk_link *link, enum pdk_message type, uint64_t id, const void *numbers, size_t size,
                      const char *text, size_t text_size);
int32_t pdk_link_send_parts(struct pdk_link *link, enum pdk_message type, uint64_t id,
                            const struct pdk_wire_part *parts, size_t count);

/* End it, with all it has started; why goes into the words of its end. Again: nothing. */
void pdk_link_kill(struct pdk_link *link, const char *why);

/* No more is said: it ends by itself, or is killed a little later. */
void pdk_link_hang_up(struct pdk_link *link);

int32_t pdk_link_pid(const struct pdk_link *link);

/* The process service is gone, and all its children with it: nothing will be heard any more. */
void pdk_link_free(struct pdk_link *link);

#endif
