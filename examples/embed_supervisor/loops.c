/* SPDX-License-Identifier: Apache-2.0 */
#include "loops.h"

#include <ev.h>
#include <stdlib.h>
#include <string.h>

#include "poll_loop.h"
#ifdef WITH_UV
#include "uv_loop.h"
#endif

/* ---- a loop made of poll(2): an adapter */

static void *poll_create(pdk_supervisor_options *options) {
    struct poll_loop *loop = poll_loop_create();
    if (loop) options->loop = poll_loop_table(loop);
    return loop;
}

static void poll_turn(void *loop) {
    poll_loop_turn(loop);
}

static void poll_destroy(void *loop) {
    poll_loop_free(loop);
}

/* ---- libev: Paddock knows it, and needs no adapter. ev_default_loop does as well; that one reaps all children of the
 * process, so have it tell you of yours with ev_child. */

static void *ev_create(pdk_supervisor_options *options) {
    options->ev_loop = ev_loop_new(EVFLAG_AUTO);
    return options->ev_loop;
}

static void ev_turn(void *loop) {
    ev_run(loop, EVRUN_ONCE);
}

static void ev_destroy(void *loop) {
    ev_loop_destroy(loop);
}

/* ---- libuv: an adapter beside a loop */

#ifdef WITH_UV
struct uv {
    uv_loop_t loop;
    struct uv_adapter *adapter;
};

static void uv_destroy(void *arg) {
    struct uv *uv = arg;
    uv_adapter_free(uv->adapter);
    uv_run(&uv->loop, UV_RUN_DEFAULT); /* until all is closed */
    uv_loop_close(&uv->loop);
    free(uv);
}

static void *uv_create(pdk_supervisor_options *options) {
    struct uv *uv = calloc(1, sizeof *uv);
    if (!uv || uv_loop_init(&uv->loop) < 0) {
        free(uv);
        return NULL;
    }
    uv->adapter = uv_adapter_create(&uv->loop);
    if (!uv->adapter) {
        uv_destroy(uv);
        return NULL;
    }
    options->loop = uv_adapter_table(uv->adapter);
    return uv;
}

static void uv_turn(void *arg) {
    struct uv *uv = arg;
    uv_run(&uv->loop, UV_RUN_ONCE);
}
#endif

static const struct loop_kind kinds[] = {{"poll", poll_create, poll_turn, poll_destroy},
                                         {"ev", ev_create, ev_turn, ev_destroy},
#ifdef WITH_UV
                                         {"uv", uv_create, uv_turn, uv_destroy},
#endif
                                         {0}};

const struct loop_kind *loop_named(const char *name) {
    for (const struct loop_kind *kind = kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0) return kind;
    return NULL;
}
