#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD SOURCE: install into an empty prefix, then be its first user: a plugin author with pkg-config, an
# embedder with CMake, an operator with the program. Nothing may point back into the build.
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

cmake --install "$build" --prefix "$prefix" >/dev/null
export PKG_CONFIG_PATH LD_LIBRARY_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name paddock.pc)")
LD_LIBRARY_PATH=$(pkg-config --variable=libdir paddock)

echo "== a plugin author"
# shellcheck disable=SC2046 # words are wanted
cc -shared -fPIC -fvisibility=hidden -o "$work/greet.so" "$source/examples/runner_minimal/plugin.c" \
  $(pkg-config --cflags paddock-plugin)
printf 'tasks:\n  hello:\n    kind: greet\n    with: {name: world}\n' >"$work/greet.yaml"
"$prefix/bin/paddock" run --plugin "$work/greet.so" "$work/greet.yaml"

echo "== and one who tests it"
"$prefix/bin/paddock" verify --quiet "$work/greet.so"
for compiler in cc c++; do
  command -v $compiler >/dev/null || continue
  # shellcheck disable=SC2046
  $compiler -o "$work/greet_test" "$source/test/install/greet_test.c" $(pkg-config --cflags --libs paddock-testhost)
  "$work/greet_test" "$work/greet.so"
done

echo "== an embedder, with pkg-config and with CMake"
# shellcheck disable=SC2046
cc -o "$work/by_pkgconfig" "$source/examples/embed_router/"*.c $(pkg-config --cflags --libs paddock-router)
"$work/by_pkgconfig" >/dev/null
mkdir "$work/cmake"
cat >"$work/cmake/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(embedder C)
find_package(paddock 0.1 REQUIRED)
file(GLOB sources $source/examples/embed_router/*.c)
add_executable(embedder \${sources})
target_link_libraries(embedder paddock::paddock-router)
add_library(greet MODULE $source/examples/runner_minimal/plugin.c)
target_link_libraries(greet paddock::paddock-plugin)
add_executable(greet_test $source/test/install/greet_test.c)
target_link_libraries(greet_test paddock::paddock-testhost)
foreach(library paddock paddock-router) # the archives, which need what they link to be said
  add_executable(embedder-\${library}-static \${sources})
  target_link_libraries(embedder-\${library}-static paddock::\${library}-static)
endforeach()
CMAKE
cmake -G Ninja -S "$work/cmake" -B "$work/cmake/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/cmake/build" >/dev/null
"$work/cmake/build/embedder" >/dev/null
"$work/cmake/build/greet_test" "$work/greet.so"

echo "== the archives alone"
alone() { # alone PROGRAM: it runs where none of our libraries is
  if readelf -d "$1" | grep -q 'NEEDED.*paddock'; then echo "$1 wants our shared libraries" >&2; exit 1; fi
  env -u LD_LIBRARY_PATH "$1" >/dev/null
}
for library in paddock paddock-router; do
  alone "$work/cmake/build/embedder-$library-static"
  mkdir "$work/$library"
  cp "$LD_LIBRARY_PATH/lib$library.a" "$work/$library" # where the linker looks first, and finds no shared one
  # shellcheck disable=SC2046
  cc -o "$work/by_archive" "$source/examples/embed_router/"*.c -L"$work/$library" \
    $(pkg-config --static --cflags --libs "$library")
  alone "$work/by_archive"
done

echo "== an operator"
"$prefix/bin/paddock" version
"$prefix/bin/paddock" plugins
"$prefix/bin/paddock" run -- sh -c 'echo installed and running'
printf 'plugins: [{use: subprocess, isolation: process}]\ntasks: {t: [echo, isolated]}\n' >"$work/isolated.yaml"
[ "$("$prefix/bin/paddock" run -q "$work/isolated.yaml")" = isolated ]
grep -q '^.It Ic restart$' "$prefix/share/man/man5/paddock.yaml.5" # the fields of a task,
grep -q '^.It Ic isolation.user$' "$prefix/share/man/man5/paddock.yaml.5" # and those of an entry of plugins

echo "== a reader of the manual"
find "$prefix" -path '*/man/man*/*' | sort >"$work/pages"
[ "$(wc -l <"$work/pages")" -ge 3 ] || { echo "pages are missing:" >&2; cat "$work/pages" >&2; exit 1; }
while read -r page; do
  echo "$page"
  faults=$(MANWIDTH=100 LC_ALL=C.UTF-8 man --warnings -l "$page" 2>&1 >/dev/null)
  [ -z "$faults" ] || { echo "$faults" >&2; exit 1; }
done <"$work/pages"

if grep -rlI "$build" "$prefix" 2>/dev/null; then echo "the files above point into the build" >&2; exit 1; fi
