/* SPDX-License-Identifier: Apache-2.0 */
/* Wants a symbol that nobody has; RTLD_NOW finds out at once, and not in the middle of a run. */
#include "zoo.h"

int pdk_zoo_nobody_has_this(void);

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)host, (void)config, (void)ret, (void)err;
    return pdk_zoo_nobody_has_this();
}

ENTRY(PDK_PLUGIN_HEAD, "zoo", &zoo_runner, create);
