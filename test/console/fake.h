/* SPDX-License-Identifier: Apache-2.0 */
/* A queue and an archive that keep nothing: they answer as their headers say, later, so that what passes them on is tried. */
#ifndef TEST_CONSOLE_FAKE_H
#define TEST_CONSOLE_FAKE_H

#include "paddock/plugin.h"

extern const pdk_plugin fake_plugin;

#endif
