/* SPDX-License-Identifier: Apache-2.0 */
/* Fails to be made, and leaves rubbish behind. */
#include "zoo.h"

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)host, (void)config;
    *ret = (void *)(uintptr_t)0xdead;
    return pdk_fail(err, -EINVAL, NULL, "the moon is in the wrong phase", NULL, NULL);
}

ENTRY(PDK_PLUGIN_HEAD, "zoo", &zoo_runner, create);
