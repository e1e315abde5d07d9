/* SPDX-License-Identifier: Apache-2.0 */
/* Commands: noted down when they are given, carried out in their turn, in the order they came. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"

int32_t pdk_order(struct pdk_supervisor *s, enum pdk_order_kind kind, pdk_run run, int32_t cause, const char *why) {
    struct pdk_order *order = calloc(1, sizeof *order);
    if (!order) return -ENOMEM;
    *order = (struct pdk_order){.kind = kind, .run = run, .cause = cause};
    if (why && *why) {
        order->why = strdup(why);
        if (!order->why) {
            free(order);
            return -ENOMEM;
        }
    }
    STAILQ_INSERT_TAIL(&s->orders, order, next);
    pdk_wake(s);
    return 0;
}

static const enum pdk_input inputs[] = {
    [PDK_ORDER_CANCEL] = PDK_INPUT_CANCEL, [PDK_ORDER_FORCE] = PDK_INPUT_FORCE,     [PDK_ORDER_PAUSE] = PDK_INPUT_PAUSE,
    [PDK_ORDER_RESUME] = PDK_INPUT_RESUME, [PDK_ORDER_ABANDON] = PDK_INPUT_ABANDON,
};

static void pause_all(struct pdk_supervisor *s, bool pause) {
    if (s->paused == pause) return;
    s->paused = pause;
    pdk_emit(s, NULL, &(struct pdk_event_args){.kind = PDK_EVENT_PAUSED, .status = pause}, "%s",
             pause ? "no new attempt starts" : "attempts start again");
}

/* For those of one instance, whatever state they are in. The whole is one step. */
static void gone(struct pdk_supervisor *s, struct pdk_member *member) {
    struct pdk_record *run, *next;
    member->gone = pdk_member_is_source(member); /* of a runner, what is in our process goes on, and stops */
    member->gone_order.member = NULL;
    pdk_step_begin(s);
    for (run = TAILQ_FIRST(&s->all); run; run = next) {
        next = TAILQ_NEXT(run, all);
        if (run->member == member && run->state != PDK_STATE_NEW) pdk_apply(s, run, PDK_INPUT_GONE, 0, NULL);
        if (run->member == member && run->state == PDK_STATE_NEW) run->built = false;
    }
    pdk_step_end(s, "gone");
    if (member->hosted && member->hosted->forgotten) member->hosted->forgotten(member->hosted_arg);
}

/* The attempt ends like one that is out of time, but counts as what we say. One that has ended by itself has. */
static void unfit(struct pdk_supervisor *s, struct pdk_record *run, struct pdk_order *order) {
    if (run->state != PDK_STATE_RUNNING || pdk_cell_posted(run->cell) || run->unfit) return;
    run->unfit = order->why;
    order->why = NULL;
    run->unfit[strcspn(run->unfit, "\1")] = '\0'; /* code, NUL, text */
    pdk_step(s, run, PDK_INPUT_T_ATTEMPT, 0, NULL);
}

static void carry_out(struct pdk_supervisor *s, struct pdk_order *order) {
    struct pdk_record *run = pdk_record_find(s, order->run);
    if (!order->run) {
        pause_all(s, order->kind == PDK_ORDER_PAUSE);
    } else if (run && order->kind == PDK_ORDER_UNFIT) {
        unfit(s, run, order);
    } else if (run) {
        pdk_step(s, run, inputs[order->kind], order->cause, order->why);
    }
}

/* Those given meanwhile wait for the next turn. */
void pdk_orders_carry_out(struct pdk_supervisor *s) {
    struct pdk_orders orders = STAILQ_HEAD_INITIALIZER(orders);
    STAILQ_CONCAT(&orders, &s->orders);
    for (struct pdk_order *order = STAILQ_FIRST(&orders); order; order = STAILQ_FIRST(&orders)) {
        STAILQ_REMOVE_HEAD(&orders, next);
        if (order->kind == PDK_ORDER_ADMIT) {
            pdk_admit(s, pdk_record_find(s, order->run));
        } else if (order->kind == PDK_ORDER_SHUTDOWN) {
            for (; s->shutdowns; s->shutdowns--) pdk_shutdown_ask(s);
        } else if (order->kind == PDK_ORDER_GONE) {
            gone(s, order->member);
        } else {
            carry_out(s, order);
            free(order->why);
            free(order);
        }
    }
}

void pdk_orders_free(struct pdk_supervisor *s) {
    for (struct pdk_order *order = STAILQ_FIRST(&s->orders); order; order = STAILQ_FIRST(&s->orders)) {
        STAILQ_REMOVE_HEAD(&s->orders, next);
        bool lent =
            order->kind == PDK_ORDER_ADMIT || order->kind == PDK_ORDER_SHUTDOWN || order->kind == PDK_ORDER_GONE;
        if (lent) continue;
        free(order->why);
        free(order);
    }
}
