#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Do the pins and abidiff see what would break plugins? Headers are changed in a copy, and both are asked.
#     traps.sh COMPILER
set -eu
cd "$(dirname "$0")"
compiler=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

./abidiff.sh check "$compiler" >/dev/null || { echo "SKIPPED: abi-diff says why"; exit 77; }

expect() { # NAME PINS(0|1) HEADER SED_SCRIPT
    rm -rf "$work/include"
    cp -R ../../include "$work/include"
    sed -i "$4" "$work/include/paddock/$3"
    if cmp -s "$work/include/paddock/$3" "../../include/paddock/$3"; then
        echo "FAILED: $1: nothing was changed"
        bad=1
        return
    fi
    pins=0 abi=0
    "$compiler" -std=c11 -fsyntax-only -I"$work/include" pins.c 2>/dev/null || pins=1
    ./abidiff.sh check "$compiler" "$work/include" >/dev/null 2>&1 || abi=$?
    echo "$1: pins $pins, abidiff $abi"
    [ $pins -eq "$2" ] || { echo "FAILED: the pins should have said $2"; bad=1; }
    [ $abi -ne 0 ] || { echo "FAILED: abidiff has not seen it"; bad=1; }
}

expect "a member is added at the end" 0 runner.h 's/^} pdk_runner_ops;/    void (*later)(void *self);\n&/'
expect "a member is added in the middle" 1 task.h 's/^    const char \*code;/    uint64_t middle;\n&/'
expect "a member is removed" 1 task.h '/^    uint64_t grace_ns;/d'
expect "two members change places" 1 runner.h 's/(\*cancel)(void \*task, int32_t reason)/(*kill_)(void *task)/; s/(\*kill)(void \*task)/(*cancel)(void *task, int32_t reason)/; s/kill_/kill/'
expect "a function takes something else" 1 host.h 's/pdk_attempt, double fraction, const char \*text/pdk_attempt, float fraction, const char *text/'
expect "a struct without a size grows" 1 loop.h 's/^    void \*host_use\[2\];/    void *host_use[3];/'

# Without debug information abidiff compares nothing with nothing, and finds no difference.
cat >"$work/cc" <<WRAPPER
#!/bin/sh
for word; do
    shift
    case "\$word" in -g*) ;; *) set -- "\$@" "\$word" ;; esac
done
exec $compiler "\$@"
WRAPPER
chmod +x "$work/cc"
if said=$(./abidiff.sh check "$work/cc" 2>&1); then
    echo "FAILED: a corpus without debug information passes: $said"
    bad=1
else
    echo "a corpus without debug information: $said"
fi
exit $bad
