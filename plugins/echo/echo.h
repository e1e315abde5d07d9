/* SPDX-License-Identifier: Apache-2.0 */
/* What the ABI tables of echo point at. */
#ifndef ECHO_H
#define ECHO_H

#include <paddock/helpers.h>

extern const pdk_schema pdk_echo_kind;
extern const pdk_task_ops pdk_echo_task_ops;

int32_t pdk_echo_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err);

#endif
