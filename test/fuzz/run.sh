#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD [SECONDS]: every fuzzer for some seconds (10), starting from its corpus.
set -uo pipefail
cd "$(dirname "$0")"
build=$(cd "../../$1" && pwd)
seconds=${2:-10}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

count=0
for fuzzer in "$build"/test/fuzz_*; do
  [ -x "$fuzzer" ] || continue
  name=$(basename "$fuzzer"); name=${name#fuzz_}
  mkdir -p "$work/$name"
  if ! "$fuzzer" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -artifact_prefix="$work/$name-" -print_final_stats=1 \
      "$work/$name" "corpus/$name" >"$work/$name.log" 2>&1; then
    echo "fuzz_$name FAILED"; tail -n 40 "$work/$name.log"
    for found in "$work/$name"-*; do [ -f "$found" ] && { echo "input, as base64:"; base64 -w 120 "$found" | head -n 40; }; done
    exit 1
  fi
  count=$((count + 1))
  printf '    %-12s %s inputs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")"
done
[ $count -gt 0 ] || { echo "fuzz/run.sh: no fuzzers in $build/test" >&2; exit 1; }
