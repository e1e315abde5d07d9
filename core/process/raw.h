/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls with nothing around them. Between clone and exec the child runs in our memory beside our threads:
 * the library's wrappers would write its errno, take its locks, or (setuid) change all threads.
 */
#ifndef CORE_PROCESS_RAW_H
#define CORE_PROCESS_RAW_H

#include <linux/sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

/* Sanitizers keep books per thread, and the child is none that they know. */
#define PDK_CHILD_CODE \
    __attribute__((no_sanitize("address"), no_sanitize("thread"), no_sanitize("undefined"), no_stack_protector))

#define PDK_RAW(number, ...) \
    PDK_RAW_PICK(__VA_ARGS__, PDK_RAW_5, PDK_RAW_4, PDK_RAW_3, PDK_RAW_2, PDK_RAW_1, 0)(number, __VA_ARGS__)
#define PDK_RAW_PICK(a, b, c, d, e, name, ...) name
#define PDK_RAW_1(n, a)                        pdk_raw((n), (long)(a), 0, 0, 0, 0)
#define PDK_RAW_2(n, a, b)                     pdk_raw((n), (long)(a), (long)(b), 0, 0, 0)
#define PDK_RAW_3(n, a, b, c)                  pdk_raw((n), (long)(a), (long)(b), (long)(c), 0, 0)
#define PDK_RAW_4(n, a, b, c, d)               pdk_raw((n), (long)(a), (long)(b), (long)(c), (long)(d), 0)
#define PDK_RAW_5(n, a, b, c, d, e)            pdk_raw((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

#if defined(__x86_64__)

PDK_CHILD_CODE static inline long pdk_raw(long number, long a, long b, long c, long d, long e) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}

/* clone3 whose child calls run(arg) on the stack that args names. */
static inline long pdk_clone(struct clone_args *args, void (*run)(void *), void *arg) {
    long result;
    register void *r8 __asm__("r8") = arg;
    register void (*r9)(void *) __asm__("r9") = run;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r8, %%rdi\n\t"
                     "call *%%r9\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(result)
                     : "0"((long)SYS_clone3), "D"(args), "S"(sizeof *args), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

#elif defined(__aarch64__)

PDK_CHILD_CODE static inline long pdk_raw(long number, long a, long b, long c, long d, long e) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory", "cc");
    return x0;
}

static inline long pdk_clone(struct clone_args *args, void (*run)(void *), void *arg) {
    register long x8 __asm__("x8") = SYS_clone3;
    register long x0 __asm__("x0") = (long)args;
    register long x1 __asm__("x1") = sizeof *args;
    register void *x9 __asm__("x9") = arg;
    register void (*x10)(void *) __asm__("x10") = run;
    __asm__ volatile("svc 0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, #0\n\t"
                     "mov x0, x9\n\t"
                     "blr x10\n\t"
                     "brk #1\n"
                     "1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x9), "r"(x10)
                     : "memory", "cc");
    return x0;
}

#else
#error "how does this machine make a system call?"
#endif

#endif
