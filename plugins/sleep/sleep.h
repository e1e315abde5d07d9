/* SPDX-License-Identifier: Apache-2.0 */
/* What the ABI tables of sleep point at. */
#ifndef SLEEP_H
#define SLEEP_H

#include <paddock/helpers.h>
#include <paddock/loop.h>

extern const pdk_schema pdk_sleep_kind;
extern const pdk_task_ops pdk_sleep_task_ops;

int32_t pdk_sleep_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err);
int32_t pdk_sleep_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err);

#endif
