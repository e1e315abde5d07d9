/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugins that break one rule each, for `paddock verify` to find. FAULT is the number of the check that must see it, and a
 * digit for the variant: 351 is the second way to fail check 35. 0 breaks nothing: a plugin that is as it should be.
 */
#ifndef TEST_VERIFY_BAD_H
#define TEST_VERIFY_BAD_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <paddock/helpers.h>
#include <paddock/loop.h>
#include <paddock/process.h>

#define BAD(fault) (FAULT == (fault))

#endif
