/* SPDX-License-Identifier: Apache-2.0 */
/* Of our major, but it says itself that it needs a later minor. */
#include "zoo.h"

#define HEAD PDK_MAGIC, PDK_ABI_MAKE(1, 9), (uint32_t)sizeof(pdk_plugin), PDK_ABI_MAKE(1, 9), 0, 0
ENTRY(HEAD, "zoo", &zoo_runner, zoo_create);
