/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <ev.h>
#include <stdlib.h>
#include <string.h>

#include "core/loop/loop.h"
#include "poll_loop.h"
#ifdef WITH_UV
#include "uv_loop.h"
#endif

struct host {
    struct ev_loop *ev_loop; /* NULL: none of the embedder's */
    struct pdk_ev *ev;
};

static void *adopt(struct ev_loop *ev_loop, const pdk_loop **ret) {
    struct host *host = calloc(1, sizeof *host);
    if (!host) return NULL;
    host->ev_loop = ev_loop;
    if ((ev_loop ? pdk_ev_adopt(ev_loop, &host->ev) : pdk_ev_create(&host->ev)) < 0) {
        free(host);
        return NULL;
    }
    *ret = pdk_ev_loop(host->ev);
    return host;
}

static void *own_create(const pdk_loop **ret) {
    return adopt(NULL, ret);
}

static void *ev_create(const pdk_loop **ret) {
    return adopt(ev_loop_new(EVFLAG_AUTO), ret);
}

static void *default_create(const pdk_loop **ret) {
    return adopt(ev_default_loop(EVFLAG_AUTO), ret);
}

static void ev_turn(void *arg) {
    struct host *host = arg;
    if (host->ev_loop)
        ev_run(host->ev_loop, EVRUN_ONCE);
    else
        pdk_ev_once(host->ev);
}

static void ev_destroy(void *arg) {
    struct host *host = arg;
    pdk_ev_free(host->ev);
    if (host->ev_loop) ev_loop_destroy(host->ev_loop);
    free(host);
}

static void *poll_create(const pdk_loop **ret) {
    struct poll_loop *loop = poll_loop_create();
    if (loop) *ret = poll_loop_table(loop);
    return loop;
}

static void poll_turn(void *loop) {
    poll_loop_turn(loop);
}

static void poll_destroy(void *loop) {
    poll_loop_free(loop);
}

#ifdef WITH_UV
struct uv {
    uv_loop_t loop;
    struct uv_adapter *adapter;
};

static void *uv_create(const pdk_loop **ret) {
    struct uv *uv = calloc(1, sizeof *uv);
    if (!uv || uv_loop_init(&uv->loop) < 0) {
        free(uv);
        return NULL;
    }
    uv->adapter = uv_adapter_create(&uv->loop);
    if (uv->adapter) *ret = uv_adapter_table(uv->adapter);
    return uv;
}

static void uv_turn(void *arg) {
    struct uv *uv = arg;
    uv_run(&uv->loop, UV_RUN_ONCE);
}

/* A loop with a handle of ours left in it cannot be closed. */
static void uv_destroy(void *arg) {
    struct uv *uv = arg;
    uv_adapter_free(uv->adapter);
    uv_run(&uv->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&uv->loop) != 0) abort();
    free(uv);
}
#endif

static const struct kind kinds[] = {{"own", own_create, ev_turn, ev_destroy, 0},
                                    {"ev", ev_create, ev_turn, ev_destroy, 0},
                                    {"ev-default", default_create, ev_turn, ev_destroy, 1},
                                    {"poll", poll_create, poll_turn, poll_destroy, 0},
#ifdef WITH_UV
                                    {"uv", uv_create, uv_turn, uv_destroy, 0},
#endif
                                    {0}};

const struct kind *kind_named(const char *name) {
    for (const struct kind *kind = kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0) return kind;
    return NULL;
}
