#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over all C files of core, plugins and metrics, each in a process of its own (several in one make the
# analyzer remember what it should not), on all processors. Quiet unless it finds something. Its checks are in .clang-tidy.
#
#   test/tidy.sh [BUILD]      BUILD: where to configure; default build/tidy
set -uo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/tidy}

for tool in clang clang-tidy; do
  if ! command -v "$tool" >/dev/null; then
    echo "tidy.sh: SKIPPED, nothing was checked: there is no $tool" >&2
    exit 0
  fi
done

log=$(mktemp) && trap 'rm -f "$log"' EXIT
if ! cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >"$log" 2>&1; then
  tail -n 40 "$log"
  exit 1
fi

# What is said twice of a header is said once.
find core plugins metrics -name '*.c' -print0 |
  xargs -0 -P "$(nproc)" -n 1 clang-tidy -p "$build" --quiet >"$log" 2>/dev/null
status=$?
grep -E '(error|warning):' "$log" | sort -u
if [ "$status" -ne 0 ]; then
  echo "tidy.sh: with all that led there: clang-tidy -p $build FILE" >&2
  exit 1
fi
