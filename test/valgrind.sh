#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# valgrind.sh BUILD: the unit tests and simulations under valgrind; fails at the first bad access or lost block.
set -uo pipefail
cd "$(dirname "$0")"
build=$(cd "../$1" && pwd)

# Children share our memory between clone and exec, which valgrind cannot follow: process tests are ASan's.
programs=$(ls "$build"/test/unit-* "$build"/test/sim-* 2>/dev/null | grep -vE 'unit-(process|loop)-')
[ -n "$programs" ] || { echo "valgrind.sh: no tests in $build/test" >&2; exit 1; }
export PDK_VALGRIND=1 # long random runs are shorter here
one() {
  local log; log=$(mktemp)
  if ! valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible "$1" >"$log" 2>&1; then
    echo "FAILED under valgrind: $1"; tail -n 60 "$log"; rm -f "$log"; return 1
  fi
  rm -f "$log"
}
export -f one
echo "$programs" | xargs -P "$(nproc)" -I{} bash -c 'one {}' || exit 1
echo "valgrind: $(echo "$programs" | wc -l) programs, no faults"
