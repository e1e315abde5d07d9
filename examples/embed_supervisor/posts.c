/* SPDX-License-Identifier: Apache-2.0 */
#include "posts.h"

#include <stddef.h>

void posts_init(struct posts *posts) {
    pthread_mutex_init(&posts->lock, NULL);
    posts->first = NULL;
    posts->last = &posts->first;
}

void posts_free(struct posts *posts) {
    pthread_mutex_destroy(&posts->lock);
}

int posts_add(struct posts *posts, pdk_call *call) {
    pthread_mutex_lock(&posts->lock);
    int wake = !posts->first && !call->host_use[1];
    if (!call->host_use[1]) {
        call->host_use[0] = NULL;
        call->host_use[1] = call;
        *posts->last = call;
        posts->last = (pdk_call **)&call->host_use[0];
    }
    pthread_mutex_unlock(&posts->lock);
    return wake;
}

/* From when it no longer waits a call may be posted again or be freed: so what comes after it is looked up before. */
static pdk_call *release(struct posts *posts, pdk_call *call) {
    pthread_mutex_lock(&posts->lock);
    pdk_call *next = call->host_use[0];
    call->host_use[1] = NULL;
    pthread_mutex_unlock(&posts->lock);
    return next;
}

void posts_run(struct posts *posts) {
    pthread_mutex_lock(&posts->lock);
    pdk_call *call = posts->first;
    posts->first = NULL;
    posts->last = &posts->first;
    pthread_mutex_unlock(&posts->lock);
    while (call) {
        pdk_call *next = release(posts, call);
        call->run(call->arg);
        call = next;
    }
}
