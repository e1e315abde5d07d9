#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A plugin in C++ is compiled, exports its entry alone, and runs in the frozen host.
#     cxx.sh HOST INCLUDE_FOLDER MAP
# Exit 77: there is no C++ compiler.
set -eu
cd "$(dirname "$0")"
command -v g++ >/dev/null || { echo "SKIPPED: there is no g++"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for standard in c++11 c++20; do
    g++ -std=$standard -Wall -Wextra -Wpedantic -Werror -shared -fPIC -fvisibility=hidden "-Wl,--version-script=$3" \
        "-I$2" -o "$work/plugin.so" cxx_plugin.cc
    symbols=$(nm -D --defined-only "$work/plugin.so" | awk '{ print $3 }')
    [ "$symbols" = pdk_plugin_entry ] || { echo "FAILED: it exports $symbols"; exit 1; }
    said=$("$1" "$work/plugin.so" cxx)
    [ "$said" = "output 1: t
done 7: status 0" ] || { echo "FAILED: it said $said"; exit 1; }
    echo "$standard: well"
done
