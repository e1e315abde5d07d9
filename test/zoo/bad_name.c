/* SPDX-License-Identifier: Apache-2.0 */
/* Its name would not fit into a label, and rings the bell of a terminal. */
#include "zoo.h"

ENTRY(PDK_PLUGIN_HEAD, "Bad\aName", &zoo_runner, zoo_create);
