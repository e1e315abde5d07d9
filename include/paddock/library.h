/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/library.h - what both libraries offer to a program that embeds them; plugins need none of it.
 *
 * Neither library has global state, installs signal handlers, writes to stdout or ends the process.
 */
#ifndef PADDOCK_LIBRARY_H
#define PADDOCK_LIBRARY_H

#include "plugin.h"

#if defined(__GNUC__)
#define PDK_API __attribute__((visibility("default")))
#else
#define PDK_API
#endif

PDK_BEGIN

/* [any] "0.1.0", for ever. */
PDK_API const char *pdk_version(void);

/* [any] How to read and make values. Stateless; lives for ever. */
PDK_API const pdk_values *pdk_values_get(void);

PDK_END
#endif
