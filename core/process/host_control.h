/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that change the machine for others: what "default" of a seccomp list means, wherever one is written.
 * Names alone, for those who make a filter know their numbers in different ways; a machine that lacks one is fine.
 */
#ifndef CORE_PROCESS_HOST_CONTROL_H
#define CORE_PROCESS_HOST_CONTROL_H

/* Without the last comma, for an initializer. */
#define PDK_HOST_CONTROL_CALLS                                                                                         \
    "acct", "add_key", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "create_module", "delete_module",          \
        "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "init_module", "ioperm", "iopl", "kexec_file_load", \
        "kexec_load", "keyctl", "lookup_dcookie", "mount", "mount_setattr", "move_mount", "nfsservctl",                \
        "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root", "process_vm_readv", "process_vm_writev",    \
        "ptrace", "quotactl", "quotactl_fd", "reboot", "request_key", "setdomainname", "sethostname", "setns",         \
        "settimeofday", "stime", "swapoff", "swapon", "syslog", "umount", "umount2", "unshare", "userfaultfd",         \
        "vhangup"

#endif
