/* SPDX-License-Identifier: Apache-2.0 */
/* Its entry ends before its name. */
#include "zoo.h"

#define HEAD PDK_MAGIC, PDK_ABI, 24U, PDK_ABI, 0, 0
ENTRY(HEAD, "zoo", &zoo_runner, zoo_create);
