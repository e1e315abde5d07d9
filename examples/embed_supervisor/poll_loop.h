/* SPDX-License-Identifier: Apache-2.0 */
/* A loop of your own, made of poll(2), as Paddock wants to see it. */
#ifndef POLL_LOOP_H
#define POLL_LOOP_H

#include <paddock/loop.h>

struct poll_loop;

struct poll_loop *poll_loop_create(void); /* NULL: no memory, or no file descriptor */
const pdk_loop *poll_loop_table(struct poll_loop *loop);
void poll_loop_turn(struct poll_loop *loop); /* wait for something, and see to all that has come */
void poll_loop_free(struct poll_loop *loop); /* stops what is still watched; NULL is fine */

#endif
