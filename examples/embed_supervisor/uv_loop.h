/* SPDX-License-Identifier: Apache-2.0 */
/* A uv_loop_t of yours, as Paddock wants to see it. You run it, as ever. */
#ifndef UV_LOOP_H
#define UV_LOOP_H

#include <paddock/loop.h>
#include <uv.h>

struct uv_adapter;

struct uv_adapter *uv_adapter_create(uv_loop_t *loop); /* NULL: no memory, or no file descriptor */
const pdk_loop *uv_adapter_table(struct uv_adapter *adapter);

/* Stops what is still watched. As with all handles of libuv the memory is free only when the loop has turned once more.
 * NULL is fine. */
void uv_adapter_free(struct uv_adapter *adapter);

#endif
