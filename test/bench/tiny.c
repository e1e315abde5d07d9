/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest child: no library, no loader. With an argument it waits for ever, without it ends at once. */
#include <sys/syscall.h>

#if defined(__x86_64__)
__asm__(".globl _start\n"
        "_start:\n"
        "    cmpq $1, (%rsp)\n" /* argc */
        "    je 2f\n"
        "1:  mov $34, %eax\n" /* pause */
        "    syscall\n"
        "    jmp 1b\n"
        "2:  mov $60, %eax\n" /* exit */
        "    xor %edi, %edi\n"
        "    syscall\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
        "_start:\n"
        "    ldr x9, [sp]\n"
        "    cmp x9, #1\n"
        "    b.eq 2f\n"
        "1:  mov x0, #0\n" /* ppoll of nothing */
        "    mov x1, #0\n"
        "    mov x2, #0\n"
        "    mov x3, #0\n"
        "    mov x8, #73\n"
        "    svc 0\n"
        "    b 1b\n"
        "2:  mov x0, #0\n"
        "    mov x8, #93\n"
        "    svc 0\n");
#endif
