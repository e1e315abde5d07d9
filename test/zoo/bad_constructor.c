/* SPDX-License-Identifier: Apache-2.0 */
/* Runs code as it is loaded, which no check can prevent: so the test sees what is loaded, and what is not. */
#include <stdlib.h>

#include "zoo.h"

__attribute__((constructor)) static void ran(void) {
    setenv("PDK_ZOO_CONSTRUCTOR", "ran", 1);
}

ENTRY(PDK_PLUGIN_HEAD, "zoo", &zoo_runner, zoo_create);
