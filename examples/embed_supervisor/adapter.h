/* SPDX-License-Identifier: Apache-2.0 */
/* A loop of your own, made of poll(2), as Paddock wants to see it. */
#ifndef ADAPTER_H
#define ADAPTER_H

#include <paddock/loop.h>

struct adapter;

struct adapter *adapter_create(void); /* NULL: no memory, or no file descriptor */
const pdk_loop *adapter_loop(struct adapter *adapter);
void adapter_turn(struct adapter *adapter); /* wait for something, and see to all that has come */
void adapter_free(struct adapter *adapter);

#endif
