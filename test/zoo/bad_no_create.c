/* SPDX-License-Identifier: Apache-2.0 */
/* Cannot be made. */
#include "zoo.h"

ENTRY(PDK_PLUGIN_HEAD, "zoo", &zoo_runner, NULL);
