#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The example runners that are not in C: each is compiled, exports its entry alone, keeps to what plugins have to, and runs.
#     language.sh cxx|rust PADDOCK
# Exit 77: there is no compiler for it. Rust is optional for CI, too: it is large.
set -eu
cd "$(dirname "$0")/../.."
language=$1 paddock=$2 example=examples/runner_$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $1"
    exit 1
}

try() { # WHAT COMMAND...: builds $work/plugin.so
    what=$1
    shift
    rm -f "$work/plugin.so"
    "$@" || fail "$what does not compile it"
    symbols=$(nm -D --defined-only "$work/plugin.so" | awk '{ print $3 }')
    [ "$symbols" = pdk_plugin_entry ] || fail "$what: it exports $symbols"
    "$paddock" verify "$work/plugin.so" >"$work/log" 2>&1 || { cat "$work/log"; fail "$what: it does not keep to the rules"; }
    "$paddock" run --prefix always --plugin "$work/plugin.so" "$example/tasks.yaml" >"$work/said" 2>"$work/log" ||
        { cat "$work/log"; fail "$what: it does not run"; }
    diff -u "$example/expected.txt" "$work/said" || fail "$what: it says something else"
    echo "$what: well, $(stat -c %s "$work/plugin.so") bytes"
}

cxx() {
    command -v g++ >/dev/null || { [ "${CI:-}" != true ] || fail "there is no g++"; echo "SKIPPED: there is no g++"; exit 77; }
    for compiler in g++ clang++; do
        command -v $compiler >/dev/null || { echo "SKIPPED: there is no $compiler"; continue; }
        try $compiler $compiler -std=c++17 -O2 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -shared -fPIC \
            -fvisibility=hidden -Wl,--version-script=plugins/plugin.map -Iinclude -o "$work/plugin.so" "$example/plugin.cc"
    done
}

# Its numbers are those of the frozen ABI: "struct member offset", from the lists of the one and the lines of the other.
rust_pins() {
    sed -n '/^pins!(/,/});/p' "$1" | tr '\n' ' ' | sed 's/pins!(/\n/g; s/r#//g' |
        awk -F'[{}]' 'NF > 1 { n = split($2, all, ","); sub(/ *$/, "", $1); for (i = 1; i <= n; i++) { split(all[i], one, " "); print $1, one[1], one[2] } }'
}

rust() {
    command -v rustc >/dev/null || { echo "SKIPPED: there is no rustc; on Debian it is in a package of that name"; exit 77; }
    sed -n 's/^PIN(\(.*\), \(.*\), \(.*\));$/\1 \2 \3/p' test/abi/pins.c | sort >"$work/c"
    rust_pins "$example/plugin.rs" | sort >"$work/rust"
    [ "$(wc -l <"$work/rust")" -gt 80 ] || fail "its pins are not found"
    others=$(comm -13 "$work/c" "$work/rust")
    [ -z "$others" ] || fail "pinned elsewhere in test/abi/pins.c: $others"
    try rustc rustc --edition 2021 -D warnings -O -C panic=abort -C lto -C strip=symbols --crate-type cdylib -o "$work/plugin.so" "$example/plugin.rs"
}

"$language"
