/* SPDX-License-Identifier: Apache-2.0 */
/* Made for a host of the next major. */
#include "zoo.h"

#define HEAD PDK_MAGIC, PDK_ABI_MAKE(2, 0), (uint32_t)sizeof(pdk_plugin), PDK_ABI_MAKE(2, 0), 0, 0
ENTRY(HEAD, "zoo", &zoo_runner, zoo_create);
