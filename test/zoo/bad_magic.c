/* SPDX-License-Identifier: Apache-2.0 */
/* Not a plugin at all, in spite of its symbol. */
#include "zoo.h"

#define HEAD 0x464C457FU, PDK_ABI, (uint32_t)sizeof(pdk_plugin), PDK_ABI, 0, 0
ENTRY(HEAD, "zoo", &zoo_runner, zoo_create);
