/* SPDX-License-Identifier: Apache-2.0 */
/* The ends that nobody awaited are a circle in which the oldest makes room: most of them are of the embedder's children,
 * and nobody will ask. What is asked for is nearly always new, so looking back from the newest is quick. */
#include "core/loop/reaped.h"

#include <errno.h>
#include <stdlib.h>

enum { KEPT = 4096 };

struct end {
    int32_t pid; /* 0: empty */
    int status;
};

struct awaited {
    void *who;
    struct end end;
    bool is_told;
};

struct pdk_reaped {
    struct awaited *awaited;
    uint32_t count, room, next;
    struct end ends[KEPT];
};

struct pdk_reaped *pdk_reaped_create(void) {
    return calloc(1, sizeof(struct pdk_reaped));
}

void pdk_reaped_free(struct pdk_reaped *reaped) {
    if (reaped) free(reaped->awaited);
    free(reaped);
}

static bool take_end(struct pdk_reaped *reaped, int32_t pid, int *ret_status) {
    for (uint32_t back = 1; back <= KEPT; back++) {
        struct end *end = &reaped->ends[(reaped->next - back) % KEPT];
        if (end->pid != pid) continue;
        end->pid = 0;
        *ret_status = end->status;
        return true;
    }
    return false;
}

int32_t pdk_reaped_await(struct pdk_reaped *reaped, int32_t pid, void *who) {
    if (reaped->count == reaped->room) {
        uint32_t room = reaped->room ? reaped->room * 2 : 16;
        struct awaited *more = reallocarray(reaped->awaited, room, sizeof *more);
        if (!more) return -ENOMEM;
        reaped->awaited = more;
        reaped->room = room;
    }
    struct awaited *new = &reaped->awaited[reaped->count++];
    *new = (struct awaited){.who = who, .end.pid = pid};
    new->is_told = take_end(reaped, pid, &new->end.status);
    return 0;
}

void *pdk_reaped_tell(struct pdk_reaped *reaped, int32_t pid, int status) {
    for (uint32_t i = 0; i < reaped->count; i++)
        if (reaped->awaited[i].end.pid == pid && !reaped->awaited[i].is_told) return reaped->awaited[i].who;
    reaped->ends[reaped->next++ % KEPT] = (struct end){pid, status};
    return NULL;
}

bool pdk_reaped_forget(struct pdk_reaped *reaped, const void *who, int *ret_status) {
    for (uint32_t i = 0; i < reaped->count; i++) {
        struct awaited found = reaped->awaited[i];
        if (found.who != who) continue;
        reaped->awaited[i] = reaped->awaited[--reaped->count];
        if (found.is_told) *ret_status = found.end.status;
        return found.is_told;
    }
    return false;
}
