/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a plugin keep the rules of the headers? Numbered checks, each run on the plugin's file in a process of its own, so
 * that one that crashes, hangs or ends its process costs that check alone.
 */
#ifndef CORE_VERIFY_VERIFY_H
#define CORE_VERIFY_VERIFY_H

#include <stdbool.h>

#include "paddock/base.h"

struct pdk_verify;

struct pdk_verify_check {
    uint32_t number;    /* for ever: a number is never given to another check */
    const char *group;  /* "file", "instance", "runner", "source", "metrics" */
    const char *name;   /* a word or two */
    const char *rule;   /* what is wanted, as a sentence */
    const char *header; /* where it stands: "runner.h" */
    uint32_t broken;    /* bits 1 << PDK_TEST_RULE_...: lines of the test host that fail this check */
    void (*run)(struct pdk_verify *v);
};

/* In order; NULL past the last. */
const struct pdk_verify_check *pdk_verify_at(size_t i);
const struct pdk_verify_check *pdk_verify_find(uint32_t number);

struct pdk_verify_subject {
    const char *path;
    const char *kind, *with, *config; /* JSON; NULL: every kind, made from the schema, {} */
};

enum pdk_verify_state {
    PDK_VERIFY_RUNNING = 0,
    PDK_VERIFY_PASSED = 1,
    PDK_VERIFY_FAILED = 2,
    PDK_VERIFY_SKIPPED = 3,
    PDK_VERIFY_NOT_MEANT = 4, /* it does not play that role */
    PDK_VERIFY_NO_KIND = 5    /* it does not serve the kind that was asked for: seen says so */
};

/* What a check came to. Fixed size, so that it can lie in memory that both processes see. */
struct pdk_verify_result {
    uint32_t state;
    char where[64];    /* the call of the plugin that runs, "" */
    char seen[1024];   /* why it failed or was skipped */
    char record[8192]; /* the last calls between host and plugin, lines */
};

/* The process of one check: run it and leave its result in the file fd. Returns an exit code. */
int pdk_verify_child(const struct pdk_verify_check *check, const struct pdk_verify_subject *subject, int fd);

/* Run one check in a process of its own, which is this program called with "__verify". 0, or what went wrong with
 * starting it, which is no fault of the plugin's. limit_ns: how long it may take; 0: 20 seconds. */
struct pdk_verifier;
int32_t pdk_verifier_create(struct pdk_verifier **ret, pdk_error *err);
int32_t pdk_verifier_run(struct pdk_verifier *verifier, const struct pdk_verify_check *check,
                         const struct pdk_verify_subject *subject, uint64_t limit_ns, struct pdk_verify_result *ret,
                         pdk_error *err);
void pdk_verifier_free(struct pdk_verifier *verifier);

#endif
