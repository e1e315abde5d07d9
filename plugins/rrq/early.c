/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cancel comes by a connection of its own and can overtake its request: that one may still be half here, or be parsed, or
 * wait in a connection that is not read for want of room. Those that found nothing are remembered for a while. The id of a
 * request is of one attempt alone, so nothing else is ever hit; a cancel that names the job only is not remembered, for the
 * job may come again.
 */
#include "rrq.h"

#define WHILE (10 * PDK_RRQ_SECOND)

void pdk_rrq_early_add(struct pdk_rrq *self, const char *request_id) {
    struct pdk_rrq_early *early = &self->early[self->early_next];
    size_t size = strlen(request_id) + 1;
    if (size > sizeof early->request_id) return;
    memcpy(early->request_id, request_id, size);
    self->early_until = early->until_ns = self->host->now_ns(self->host) + WHILE;
    self->early_next = (self->early_next + 1) % PDK_RRQ_EARLY;
}

bool pdk_rrq_early_take(struct pdk_rrq *self, const char *request_id) {
    if (!self->early_until) return false;
    uint64_t now = self->host->now_ns(self->host);
    if (now >= self->early_until) self->early_until = 0;
    for (size_t i = 0; i < PDK_RRQ_EARLY; i++) {
        struct pdk_rrq_early *early = &self->early[i];
        if (early->until_ns <= now || strcmp(early->request_id, request_id) != 0) continue;
        early->until_ns = 0;
        return true;
    }
    return false;
}
