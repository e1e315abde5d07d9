#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# new.sh BUILD SOURCE: the first hour of a plugin author. Every project that `paddock new` writes is built, tested and run
# against a Paddock that was installed into a folder of its own, by make and by CMake; then one of them against the build
# tree. Prints how long it takes from the first word to the first good run.
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 002 # as many have it; plugins that others may write to are refused
unset LD_LIBRARY_PATH DESTDIR MAKEFLAGS CFLAGS LDFLAGS
log=$work/log
path=$PATH

run() { # run COMMAND...: quietly, unless it fails
  "$@" >"$log" 2>&1 || { echo "FAILED: $*" >&2; cat "$log" >&2; exit 1; }
}
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
one_symbol() {
  [ "$(nm -D --defined-only "$1" | awk '{ print $3 }')" = pdk_plugin_entry ] || { echo "FAILED: $1 exports more than its entry" >&2; exit 1; }
}

prefix=$work/prefix
run cmake --install "$build" --prefix "$prefix"
export PKG_CONFIG_PATH CMAKE_PREFIX_PATH=$prefix PATH=$prefix/bin:$PATH
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name paddock-plugin.pc)")

by_make() { # by_make FOLDER NEW...
  local folder=$1 begin first tested
  shift
  begin=$(milliseconds)
  run paddock new "$@" -o "$folder"
  run make -C "$folder" CFLAGS="-O2 -Wall -Wextra -Werror" run
  first=$(milliseconds)
  run make -C "$folder" CFLAGS="-O2 -Wall -Wextra -Werror" test
  tested=$(milliseconds)
  one_symbol "$folder"/build/*.so
  run make -C "$folder" install DESTDIR="$folder/root"
  plugin=$(find "$folder/root" -path '*/paddock/plugins/*.so')
  strip -o "$folder/stripped" "$plugin"
  printf '%-34s make: %4d ms to the first run, %5d ms to the first green test; %d bytes stripped\n' \
    "$*" $((first - begin)) $((tested - begin)) "$(stat -c %s "$folder/stripped")"
}

by_cmake() { # by_cmake FOLDER NEW...
  local folder=$1 begin
  shift
  begin=$(milliseconds)
  run paddock new "$@" -o "$folder"
  run cmake -S "$folder" -B "$folder/build" -DCMAKE_INSTALL_PREFIX="$folder/root" -DCMAKE_C_FLAGS=-Werror
  run cmake --build "$folder/build"
  run ctest --test-dir "$folder/build" --no-tests=error --output-on-failure
  one_symbol "$folder"/build/*.so
  printf '%-34s CMake: %4d ms to the first green test\n' "$*" $(($(milliseconds) - begin))
}

kinds=("runner" "runner --async" "runner --thread" "runner --process" "source" "metrics")
for kind in "${kinds[@]}"; do
  name=my-${kind//[ -]/}
  # shellcheck disable=SC2086 # its words are wanted
  by_make "$work/make/$name" $kind "$name"
  # shellcheck disable=SC2086
  by_cmake "$work/cmake/$name" $kind "$name"
done

# What was installed is found by its kind alone.
run make -C "$work/make/my-runner" install
cd "$work/make/my-runner"
run paddock run

# A tree that is not installed, as README.md of this repository says.
export PKG_CONFIG_PATH=$build/lib CMAKE_PREFIX_PATH=$build PATH=$build/bin:$PATH
by_make "$work/tree/make" runner from-tree
by_cmake "$work/tree/cmake" runner from-tree

# Both say clearly what is missing when Paddock is not found.
# CMake looks beside what is in PATH, too.
export PKG_CONFIG_PATH=/nowhere CMAKE_PREFIX_PATH=/nowhere PATH=$path
if make -C "$work/make/my-runner" clean all >"$log" 2>&1; then echo "FAILED: make finds what is not there" >&2; exit 1; fi
grep -q "Package.*paddock-plugin.*not found" "$log" || { cat "$log" >&2; exit 1; }
if cmake -S "$work/cmake/my-runner" -B "$work/nothing" >"$log" 2>&1; then echo "FAILED: CMake finds what is not there" >&2; exit 1; fi
grep -q 'paddock-config.cmake' "$log" || { cat "$log" >&2; exit 1; }
