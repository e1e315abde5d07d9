#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over all C files of core, plugins and metrics, each in a process of its own (several in one make the
# analyzer remember what it should not), on all processors. Quiet unless it finds something. Its checks are in .clang-tidy.
# A file that was found good is looked at again when it, a header or the checks have changed.
#
#   test/tidy.sh [BUILD]      BUILD: where to configure; default build/tidy
set -uo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/tidy}

for tool in clang clang-tidy; do
  if ! command -v "$tool" >/dev/null; then
    echo "tidy.sh: SKIPPED, nothing was checked: there is no $tool" >&2
    [ "${CI:-}" != true ]
    exit
  fi
done

log=$(mktemp) && trap 'rm -f "$log"' EXIT
if ! cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang -DPADDOCK_TESTS=OFF \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >"$log" 2>&1; then
  tail -n 40 "$log"
  exit 1
fi
cmake --build "$build" --target generated >"$log" 2>&1 || { tail -n 40 "$log"; exit 1; }

# A line "HASH FILE" for each file, the hash being of all that its result depends on.
good=$build/good
touch "$good"
shared=$({ cat .clang-tidy CMakeLists.txt core/cmake/*.cmake; find include core plugins metrics -name '*.h' -print0 | sort -z | xargs -0 cat; } | sha256sum | cut -c1-16)
wanted=$(find core plugins metrics -name '*.c' -print0 | sort -z | xargs -0 sha256sum | sed "s/^/$shared/; s/  / /" | grep -vxFf "$good")

# What is said twice of a header is said once.
printf '%s' "$wanted" | xargs -r -d '\n' -P "$(nproc)" -n 1 bash -c \
  'clang-tidy -p "$0" --quiet "${2#* }" && echo "$2" >>"$1"' "$build" "$good" >"$log" 2>/dev/null
status=$?
grep -E '(error|warning):' "$log" | sort -u
if [ "$status" -ne 0 ]; then
  echo "tidy.sh: with all that led there: clang-tidy -p $build FILE" >&2
  exit 1
fi
echo "tidy: $(printf '%s' "$wanted" | grep -c .) files looked at, no faults"
