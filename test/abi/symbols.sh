#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is exported, what is wanted, and what is kept.
#     symbols.sh plugins FOLDER...       every .so in them exports pdk_plugin_entry and nothing else
#     symbols.sh declared FILE HEADER... the library exports what the headers declare
#     symbols.sh library FILE MAP        the library exports what MAP says, and leaves the process alone
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

# Threads, signals, the end of the process, its stdout, its environment and its folder belong to the program.
forbidden='pthread_create|thrd_create|signal|sigaction|sigprocmask|pthread_sigmask|exit|_exit|quick_exit|atexit|on_exit'
forbidden="$forbidden|fork|vfork|posix_spawn|system|popen|wait|waitpid|printf|vprintf|puts|putchar|__printf_chk|__vprintf_chk"
forbidden="$forbidden|stdout|stderr|perror|setenv|putenv|chdir|umask|setlocale|srand|srandom|ev_.*|yaml_.*|epoll_.*"

library() {
    wanted=$(sed -n 's/^ *\(pdk_[a-z_]*\);$/\1/p' "$2" | sort)
    found=$(nm -D --defined-only "$1" | awk '{ print $3 }' | sort)
    [ -n "$found" ] && [ "$wanted" = "$found" ] || fault "exported, but should be: $found / $wanted"

    names=$(nm -D --undefined-only "$1" | awk '{ sub(/@.*/, "", $2); print $2 }' | grep -E "^($forbidden)\$" || true)
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
    case "$(nm -D --undefined-only "$1")" in
    *__asan_init*) ;; # it puts our constants into .data, between fences
    *) [ -z "$names" ] || fault "keeps state in $names" ;;
    esac
    echo "$(echo "$found" | wc -l) symbols"
}

action=$1
shift
"$action" "$@"
exit $bad
