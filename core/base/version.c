/* SPDX-License-Identifier: Apache-2.0 */
#include "paddock/library.h"

const char *pdk_version(void) {
    return PDK_VERSION;
}
