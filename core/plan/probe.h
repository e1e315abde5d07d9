/* SPDX-License-Identifier: Apache-2.0 */
/* A readiness check at work; see probe.c, probe_tcp.c, probe_command.c. */
#ifndef CORE_PLAN_PROBE_H
#define CORE_PLAN_PROBE_H

#include <regex.h>

#include "core/base/buffer.h"
#include "core/plan/internal.h"

struct addrinfo;

struct pdk_probe {
    struct pdk_item *item;
    const struct pdk_check *check;
    uint32_t attempt; /* the one that is looked at; 0: none */
    pdk_watch within, again, timeout;
    char why[160]; /* the last answer was no */

    pdk_job job; /* tcp: resolves the name; busy until its done */
    bool resolving;
    int resolve_error;
    struct addrinfo *addresses, *next;
    int fd;
    pdk_watch io;

    pdk_child child; /* command; busy until it has ended */
    bool running;
    uint32_t asked_by; /* the attempt it was started for */

    regex_t regex; /* line */
    bool compiled;
    struct pdk_buffer line; /* with a NUL behind it, as regexec wants */
};

void pdk_probe_passed(struct pdk_probe *probe);
void pdk_probe_not_yet(struct pdk_probe *probe, const char *why);

/* One try to connect; one run of the command. Their answer is passed or not_yet, later. */
void pdk_probe_connect(struct pdk_probe *probe);
void pdk_probe_tcp_end(struct pdk_probe *probe);
void pdk_probe_tcp_free(struct pdk_probe *probe);
void pdk_probe_command(struct pdk_probe *probe);
void pdk_probe_command_end(struct pdk_probe *probe);

#endif
