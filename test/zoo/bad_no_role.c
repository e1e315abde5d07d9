/* SPDX-License-Identifier: Apache-2.0 */
/* Plays no role. */
#include "zoo.h"

ENTRY(PDK_PLUGIN_HEAD, "zoo", NULL, zoo_create);
