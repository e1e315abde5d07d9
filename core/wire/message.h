/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What paddock and a paddock-host say to each other: one row per message, for both sides. Both run on one machine and
 * come from one build, which the hello makes sure of, so numbers are as the machine has them.
 *
 * A payload is a struct of numbers, given here, and behind it texts and JSON, whose sizes the struct has.
 */
#ifndef CORE_WIRE_MESSAGE_H
#define CORE_WIRE_MESSAGE_H

#include <stdint.h>

#define PDK_WIRE_MAGIC   0x484B4450u /* "PDKH" */
#define PDK_WIRE_VERSION 1u

/* Output of an attempt that is on its way: who has sent more is asked to pause until less is. */
#define PDK_WIRE_WINDOW ((uint64_t)64 << 10)

/* The largest payload: a spec with all that may be in it. */
#define PDK_PAYLOAD_MAX ((uint32_t)33 << 20)

enum { PDK_TO_HOST = 1, PDK_TO_PADDOCK = 2 };

/* NAME, direction, what the payload has at least, what the id is */
#define PDK_MESSAGES(ROW)                                                                           \
    ROW(HELLO, PDK_TO_HOST | PDK_TO_PADDOCK, sizeof(struct pdk_wire_hello), "0")                    \
    ROW(BEGIN, PDK_TO_HOST, 0, "0: the instance's start")                                           \
    ROW(STOP, PDK_TO_HOST, 0, "0: the instance's stop")                                             \
    ROW(PING, PDK_TO_HOST, 0, "a number, which comes back")                                         \
    ROW(BUILD, PDK_TO_HOST, 0, "task; JSON of the spec follows")                                    \
    ROW(TRY, PDK_TO_HOST, 0, "task; say how its build went, by TRIED")                              \
    ROW(START, PDK_TO_HOST, sizeof(struct pdk_wire_start), "attempt")                               \
    ROW(CANCEL, PDK_TO_HOST, sizeof(int32_t), "attempt; the reason")                                \
    ROW(KILL, PDK_TO_HOST, 0, "attempt")                                                            \
    ROW(TAKEN, PDK_TO_HOST, sizeof(uint64_t), "attempt; bytes of its output that were read on")     \
    ROW(RELOAD, PDK_TO_HOST, 0, "attempt")                                                          \
    ROW(DESTROY, PDK_TO_HOST, 0, "task")                                                            \
    ROW(CREATED, PDK_TO_PADDOCK, sizeof(struct pdk_wire_error), "0; code 0: the instance is there") \
    ROW(STOPPED, PDK_TO_PADDOCK, 0, "0")                                                            \
    ROW(PONG, PDK_TO_PADDOCK, 0, "the number of the PING")                                          \
    ROW(TRIED, PDK_TO_PADDOCK, sizeof(struct pdk_wire_error), "task; code 0: it can be built")      \
    ROW(FAILED, PDK_TO_PADDOCK, sizeof(struct pdk_wire_error), "attempt: it did not start")         \
    ROW(DONE, PDK_TO_PADDOCK, sizeof(struct pdk_wire_done), "attempt")                              \
    ROW(OUTPUT, PDK_TO_PADDOCK, sizeof(int32_t), "attempt; the stream, then bytes as they are")     \
    ROW(PROGRESS, PDK_TO_PADDOCK, sizeof(struct pdk_wire_progress), "attempt")                      \
    ROW(READY, PDK_TO_PADDOCK, 0, "attempt")                                                        \
    ROW(LOG, PDK_TO_PADDOCK, sizeof(int32_t), "attempt or 0; the level, then a line")               \
    ROW(HEALTH, PDK_TO_PADDOCK, sizeof(int32_t), "0; the state, then a line")                       \
    ROW(SERIES, PDK_TO_PADDOCK, 0, "series; JSON says which metric and labels it is")               \
    ROW(RECORD, PDK_TO_PADDOCK, sizeof(struct pdk_wire_record), "series")

/* The first of both sides. Behind it, to the host, JSON: what to load, and what the instance is to know. */
struct pdk_wire_hello {
    uint32_t magic, version;
};

struct pdk_wire_start {
    uint64_t deadline_ns; /* from now; 0: none */
    uint32_t task, number;
    uint32_t run_id_size, trace_size;
    uint32_t trace_state_size, reserved;
};

/* A negative errno with its texts; at: a JSON pointer to the value at fault, "" when there is none. */
struct pdk_wire_error {
    int32_t code;
    uint32_t built; /* FAILED: 1: the task was built, it was its start that failed */
    uint32_t message_size, hint_size, at_size;
};

struct pdk_wire_done {
    int32_t status, category, exit_code, signal;
    uint64_t retry_after_ns;
    uint64_t user_ns, system_ns, max_rss, read_bytes, written_bytes; /* with has_usage */
    uint32_t has_usage;
    uint32_t code_size, message_size, output_size; /* output: JSON; 0: there is none */
};

struct pdk_wire_progress {
    double fraction;
    uint32_t has_text, reserved; /* the text follows */
};

enum { PDK_WIRE_ADD, PDK_WIRE_SET, PDK_WIRE_OBSERVE };
struct pdk_wire_record {
    uint32_t what, reserved;
    double number;
};

#define PDK_MESSAGE_NUMBER(name, direction, least, id) PDK_MESSAGE_##name,
enum pdk_message { PDK_MESSAGE_NONE, PDK_MESSAGES(PDK_MESSAGE_NUMBER) PDK_MESSAGE_COUNT };
#undef PDK_MESSAGE_NUMBER

/* An attempt on the wire: the number of its task below, above it one that is never used again. */
#define PDK_WIRE_TASK_BITS 24
#define PDK_WIRE_TASK_MASK ((UINT64_C(1) << PDK_WIRE_TASK_BITS) - 1)

#endif
