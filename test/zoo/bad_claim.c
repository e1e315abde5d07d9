/* SPDX-License-Identifier: Apache-2.0 */
/* Says that its entry is larger than the object is. */
#include "zoo.h"

#define HEAD PDK_MAGIC, PDK_ABI, 65536U, PDK_ABI, 0, 0
ENTRY(HEAD, "zoo", &zoo_runner, zoo_create);
