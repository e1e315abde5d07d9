/* SPDX-License-Identifier: Apache-2.0 */
/* client: speaks HTTP to a console, for the verbs of the program. The ABI tables; README.md says more. */
#include <stdlib.h>

#include "client.h"

/* An instance has nothing but its host. */
static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config;
    (void)err;
    *ret = (void *)(uintptr_t)host;
    return 0;
}

static void destroy(void *self) {
    (void)self;
}

static const void *get_extension(void *self, const char *id) {
    (void)self;
    return strcmp(id, PDK_CLIENT_1) == 0 ? &client_table : NULL;
}

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    "client",
    "0.1.0",
    "",
    "Asks a running server over HTTP, for paddock submit, ps, logs and their like",
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    create,
    NULL,
    NULL,
    destroy,
    get_extension,
};
