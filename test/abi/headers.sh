#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every public header, alone, in every language that somebody may include it from.
#     headers.sh INCLUDE_FOLDER
# Plugin headers begin at C89, embedders' at C99. clang is a second opinion where it is there.
set -u
include=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strict="-Wall -Wextra -Wpedantic -Wpadded -Wconversion -Wshadow -Wundef -Werror -fsyntax-only -I$include"
embedder="library router supervisor testhost"
count=0
bad=0

# One file per header: the header, and something so that the file is not empty.
for header in "$include"/paddock/*.h; do
    name=$(basename "$header" .h)
    for suffix in c cc; do
        printf '#include <paddock/%s.h>\nextern int pdk_not_empty;\n' "$name" >"$work/$name.$suffix"
    done
    case " $embedder " in
    *" $name "*) ;;
    *) plugin="${plugin-} $name" ;;
    esac
done

try() { # COMPILER STANDARD SUFFIX HEADERS...
    compiler=$1 standard=$2 suffix=$3
    shift 3
    files=
    for name; do files="$files $work/$name.$suffix"; done
    count=$((count + $#))
    if ! "$compiler" "-std=$standard" $strict $files; then
        echo "FAILED: $compiler -std=$standard"
        bad=$((bad + 1))
    fi
}

for compiler in gcc clang; do
    command -v $compiler >/dev/null || { echo "SKIPPED: there is no $compiler"; continue; }
    try $compiler c89 c $plugin
    for standard in c99 c11 c17 c2x; do try $compiler $standard c $plugin $embedder; done
done
for compiler in g++ clang++; do
    command -v $compiler >/dev/null || { echo "SKIPPED: there is no $compiler"; continue; }
    for standard in c++11 c++14 c++17 c++20; do try $compiler $standard cc $plugin $embedder; done
done

echo "$count headers compiled, $bad sets bad"
[ $bad -eq 0 ] && [ $count -gt 0 ]
