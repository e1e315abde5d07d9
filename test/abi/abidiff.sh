#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compare the ABI of today's headers with the one that was frozen.
#     abidiff.sh check|freeze COMPILER [INCLUDE_FOLDER]
# There is no suppression file, on purpose: the suppression that allows members at the end hides reordering, too. Nor
# is there --headers-dir: with a baseline that names no places it hides changed signatures (traps.sh tries them all).
# Exit 77: it cannot be said here.
set -eu
cd "$(dirname "$0")"
action=$1 compiler=$2 include=${3:-../../include}
baseline=v1.0/corpus.abi

skip() {
    echo "SKIPPED: $1"
    exit 77
}

command -v abidiff >/dev/null && command -v abidw >/dev/null || skip "there is no abidiff; on Debian it is in abigail-tools"
[ "$(uname -m)" = x86_64 ] || skip "the baseline is of x86_64"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$compiler" -std=c11 -g -gdwarf-4 -O0 -fPIC -shared -I"$include" -o "$work/corpus.so" corpus.c

# Without debug information every comparison finds nothing at all.
readelf -SW "$work/corpus.so" | grep -q '\.debug_info' || { echo "FAILED: there is no .debug_info to compare"; exit 1; }

if [ "$action" = freeze ]; then
    abidw --no-comp-dir-path --no-corpus-path --no-show-locs --out-file "$baseline" "$work/corpus.so"
    exit
fi
grep -q 'corpus_pdk_plugin' "$baseline" || { echo "FAILED: $baseline is empty"; exit 1; }
rc=0
abidiff --no-show-locs "$baseline" "$work/corpus.so" || rc=$?
[ $rc -eq 0 ] || echo "FAILED: abidiff answers $rc; if all it shows was added at an end, this is the next minor"
exit $rc
