/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for something by a flag of the half that must be known. */
#include "zoo.h"

#define HEAD PDK_MAGIC, PDK_ABI, (uint32_t)sizeof(pdk_plugin), PDK_ABI, 0x00010001U, 0
ENTRY(HEAD, "zoo", &zoo_runner, zoo_create);
