/* SPDX-License-Identifier: Apache-2.0 */
/* Fails to build, leaves rubbish behind, and says nothing. */
#include "zoo.h"

static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    (void)self, (void)spec, (void)err;
    *ret = (void *)(uintptr_t)0xdead;
    return -EPERM;
}

static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), zoo_kinds, &zoo_task, NULL, build};
ENTRY(PDK_PLUGIN_HEAD, "zoo", &runner, zoo_create);
