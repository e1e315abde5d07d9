/* SPDX-License-Identifier: Apache-2.0 */
/* All of the process that is the embedder's, to be compared with what it was. */
#ifndef TEST_EMBED_PROCESS_H
#define TEST_EMBED_PROCESS_H

/* Names what it is for a reader of a failing test: one line each, "signal 17: ...". Free it. */
char *process_state(void);

/* The same, of fds and threads: what a guest may have while it is here, but not leave behind. */
char *process_things(void);

#endif
