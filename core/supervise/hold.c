/* SPDX-License-Identifier: Apache-2.0 */
/* Slots that an operator paused: every run of theirs is, and those that come are from their first moment. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/supervise/internal.h"

enum { HOLDS_MAX = 10000 };

struct pdk_hold {
    SLIST_ENTRY(pdk_hold) next;
    char slot[];
};

bool pdk_slot_is_held(const struct pdk_supervisor *s, const char *slot) {
    const struct pdk_hold *hold;
    SLIST_FOREACH(hold, &s->holds, next) {
        if (strcmp(hold->slot, slot) == 0) return true;
    }
    return false;
}

static int32_t order_all(struct pdk_supervisor *s, const char *slot, enum pdk_order_kind kind) {
    const struct pdk_record *run;
    TAILQ_FOREACH(run, &s->all, all) {
        if (run->recorded || strcmp(run->slot_name, slot) != 0) continue;
        int32_t rc = pdk_order(s, kind, run->handle, 0, NULL);
        if (rc < 0) return rc;
    }
    return 0;
}

static void tell(struct pdk_supervisor *s, const char *slot, bool held) {
    const struct pdk_event_args args = {.kind = PDK_EVENT_PAUSED, .status = held};
    pdk_emit(s, NULL, &args, "slot %s: %s", slot, held ? "no new attempt starts" : "attempts start again");
}

static int32_t enter(struct pdk_supervisor *s, const char *slot) {
    if (s->hold_count == HOLDS_MAX) return -EAGAIN;
    size_t size = strlen(slot) + 1;
    struct pdk_hold *hold = malloc(sizeof *hold + size);
    if (!hold) return -ENOMEM;
    memcpy(hold->slot, slot, size);
    SLIST_INSERT_HEAD(&s->holds, hold, next);
    s->hold_count++;
    tell(s, slot, true);
    return 0;
}

/* It is held whatever becomes of the orders, and whoever asks again pauses the rest. */
int32_t pdk_slot_hold(struct pdk_supervisor *s, const char *slot) {
    const char *why = "";
    if (pdk_slot_name_check(slot, &why) < 0) return -EINVAL;
    int32_t rc = pdk_slot_is_held(s, slot) ? 0 : enter(s, slot);
    return rc < 0 ? rc : order_all(s, slot, PDK_ORDER_PAUSE);
}

int32_t pdk_slot_release(struct pdk_supervisor *s, const char *slot) {
    struct pdk_hold *hold;
    SLIST_FOREACH(hold, &s->holds, next) {
        if (strcmp(hold->slot, slot) == 0) break;
    }
    if (!hold) return 0;
    int32_t rc = order_all(s, slot, PDK_ORDER_RESUME);
    if (rc < 0) return rc; /* it stays held, and whoever asks again resumes the rest */
    tell(s, slot, false);
    SLIST_REMOVE(&s->holds, hold, pdk_hold, next);
    s->hold_count--;
    free(hold);
    return 0;
}

void pdk_holds_each(const struct pdk_supervisor *s, void (*each)(void *arg, const char *slot), void *arg) {
    const struct pdk_hold *hold;
    SLIST_FOREACH(hold, &s->holds, next) each(arg, hold->slot);
}

void pdk_holds_free(struct pdk_supervisor *s) {
    for (struct pdk_hold *hold = SLIST_FIRST(&s->holds), *next; hold; hold = next) {
        next = SLIST_NEXT(hold, next);
        free(hold);
    }
}
