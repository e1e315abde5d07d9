#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is exported, what is wanted, and what is kept.
#     symbols.sh plugins FOLDER...       every .so in them exports pdk_plugin_entry and nothing else
#     symbols.sh declared FILE HEADER... the library exports what the headers declare
#     symbols.sh library FILE MAP KIND   the library exports what MAP says, and leaves the process alone
#     symbols.sh archive FILE KIND       its objects define pdk_ names only, want and keep as little
# KIND: router, which has no loop, threads, signals or children either, or paddock.
set -eu
bad=0

fault() {
    echo "FAILED: $1"
    bad=1
}

plugins() {
    count=0
    for file in $(find "$@" -name '*.so' | sort); do
        count=$((count + 1))
        symbols=$(nm -D --defined-only "$file" | awk '{ print $3 }' | tr '\n' ' ')
        [ "$symbols" = "pdk_plugin_entry " ] || fault "$file exports: $symbols"
    done
    [ $count -gt 0 ] || fault "there is no plugin in $*"
    echo "$count plugins"
}

declared() {
    file=$1
    shift
    wanted=$(cat "$@" | grep -oE 'PDK_API [^;(]*\bpdk_[a-z_0-9]+\(' | grep -oE 'pdk_[a-z_0-9]+\(' | tr -d '(' | sort -u)
    found=$(nm -D --defined-only "$file" | awk '{ print $3 }' | sort)
    [ -n "$found" ] && [ "$wanted" = "$found" ] || fault "exported, but should be: $found / $wanted"
    echo "$(echo "$found" | wc -l) symbols"
}

# The end of the process, its stdout, children of others, its environment and its folder belong to the program.
forbidden='exit|_exit|_Exit|quick_exit|atexit|on_exit|abort|signal|sigprocmask|fork|vfork|posix_spawnp?|system|popen'
forbidden="$forbidden|wait|waitpid|wait3|wait4|v?printf|puts|putchar|putc|__v?printf_chk|stdout|stderr|stdin|perror"
forbidden="$forbidden|setenv|putenv|unsetenv|clearenv|f?chdir|umask|setlocale|srand|srandom|srand48|yaml_.*|ev_default_(loop|destroy|fork)"
forbidden="$forbidden|ev_signal_.*|openlog|syslog|err|errx|warn|warnx|mallopt"
# The router has no threads, signals, loop or children at all.
router="$forbidden|pthread_create|thrd_create|sigaction|pthread_sigmask|clone|syscall|kill|waitid|prctl|setrlimit|ev_.*"
router="$router|epoll_.*|poll|ppoll|select|eventfd.*|timerfd_.*|signalfd|alarm|setitimer|write|fputs|fwrite|fprintf|__fprintf_chk|__assert_fail"

# forbidden_in KIND: those of the names on stdin that it must not want
forbidden_in() {
    case "$1" in
    router) grep -xE "$router" || true ;;
    *) grep -xE "$forbidden" || true ;;
    esac
}

library() {
    wanted=$(sed -n 's/^ *\(pdk_[a-z_]*\);$/\1/p' "$2" | sort)
    found=$(nm -D --defined-only "$1" | awk '{ print $3 }' | sort)
    [ -n "$found" ] && [ "$wanted" = "$found" ] || fault "exported, but should be: $found / $wanted"

    names=$(nm -D --undefined-only "$1" | awk '{ sub(/@.*/, "", $2); print $2 }' | forbidden_in "$3")
    [ -z "$names" ] || fault "wants $names"

    # Variables of ours, static ones too; a table of pointers is in .data.rel.ro and is none. Nor are the compiler's.
    names=$(readelf -sW "$1" | awk '$4 == "OBJECT" || $4 == "TLS" { print $7, $8 }' | while read -r section name; do
        kind=$(readelf -SW "$1" | sed -n "s/^ *\[ *$section\] *\([^ ]*\) .*/\1/p")
        case "$kind $name" in
        *" __dso_handle" | *" completed."* | *" __TMC_END__" | *" _DYNAMIC" | *" _GLOBAL_OFFSET_TABLE_" | *" __odr_asan"*) ;;
        *" __"*"_array_entry" | *" __FRAME_END__") ;;
        .data\ * | .bss\ * | .tdata\ * | .tbss\ *) echo "$name" ;;
        esac
    done)
    is_asan "$1" || [ -z "$names" ] || fault "keeps state in $names"
    echo "$(echo "$found" | wc -l) symbols"
}

# Its objects as they are, before a linker has left anything out.
archive() {
    names=$(nm -g --defined-only "$1" 2>/dev/null | awk 'NF == 3 { print $3 }' | grep -vE '^(pdk|PDK)_' || true)
    is_asan "$1" || [ -z "$names" ] || fault "defines what could be another's: $names"

    names=$(nm -g --undefined-only "$1" 2>/dev/null | awk 'NF == 2 { print $2 }' | sort -u | forbidden_in "$2")
    [ -z "$names" ] || fault "wants $names"

    # Constants are in .rodata and .data.rel.ro; C and B in nm's words are tentative and zeroed variables.
    names=$(size -A "$1" | awk '$1 ~ /^\.t?(data|bss)/ && $1 !~ /^\.data\.rel\.ro/ && $2 > 0 { print $1, $2 }')
    is_asan "$1" || [ -z "$names" ] || fault "keeps state: $names"
    names=$(nm "$1" 2>/dev/null | awk '$2 ~ /^[CcBb]$/ { print $3 }')
    is_asan "$1" || [ -z "$names" ] || fault "keeps state in $names"
    echo "$(ar t "$1" | wc -l) objects"
}

# The address sanitizer puts our constants into .data, between fences, and names of its own beside them.
is_asan() {
    nm -u "$1" 2>/dev/null | grep -q __asan_init
}

action=$1
shift
"$action" "$@"
exit $bad
