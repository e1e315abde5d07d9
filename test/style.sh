#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What can be said of the sources without running them. Prints every fault as FILE:LINE: what; fails if there is one.
set -uo pipefail
shopt -s lastpipe # so that fault, at the end of a pipe, counts in this shell
cd "$(dirname "$0")/.."

faults=0
fault() { while IFS= read -r line; do echo "$line"; faults=$((faults + 1)); done; }
# What was unpacked from an archive, or is looked at where there is no git, has all that is not made by the build.
ours() { git ls-files -co --exclude-standard 2>/dev/null || find . \( -name build -o -name .git -o -name .cache -o -name __pycache__ \) -prune -o -type f -printf '%P\n'; }
mapfile -t code < <(ours | grep '\.[ch]$' | grep -v '^test/abi/v1\.0/')
[ ${#code[@]} -gt 0 ] || { echo "style: no source was found in $PWD" >&2; exit 1; }

# Calls that cannot know how much room there is, or that hide a shell.
grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|system|alloca|tmpnam|mktemp)\(' "${code[@]}" |
  sed 's/$/   <- forbidden call/' | fault

# One external library, one folder.
only() { # only HEADER FOLDER...
  local header=$1 pattern; shift
  pattern=$(IFS='|'; echo "$*")
  grep -nE "#include <$header>" "${code[@]}" | grep -vE "^($pattern)" | sed "s|\$|   <- only in $*|" | fault
}
only 'ev\.h' core/loop/ test/unit/loop/ test/embed/ test/bench/ examples/
only 'yaml\.h' core/yaml/ test/bench/
only 'dlfcn\.h' core/plugin/library.c test/
only 'jansson\.h' core/value/ test/bench/
only 'sqlite3\.h' plugins/queue/sqlite/ test/bench/
grep -lE '\bSYS_clone3\b' "${code[@]}" | grep -vE '^(core/process/|test/bench/)' | sed 's/$/: clone3 belongs to core\/process/' | fault

# The loop thread never sleeps, and neither does a test.
grep -nE '\b(usleep|sleep|nanosleep)\(' "${code[@]}" | grep -v '^test/bench/' | sed 's/$/   <- sleeps/' | fault

# No unfinished business, no paths of somebody's machine.
grep -nE '\b(TODO|FIXME|XXX|HACK)\b' "${code[@]}" | sed 's/$/   <- finish it/' | fault
ours | grep -vE '\.(png|tar|bin|so)$' | xargs grep -nIE '(^|[^A-Za-z0-9_.])/(work|home)/' -- | sed 's/$/   <- a path of one machine/' | fault

# Every file says whose it is; no function is longer than a screen or two, no file has two subjects.
for file in "${code[@]}"; do
  head -n 1 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file:1: no SPDX line"
done | fault
awk 'FNR == 1 { start = 0 }
     /^[A-Za-z_].*\)[^;]*\{[ \t]*$/ { start = FNR }
     /^\}/ { if (start && FNR - start > 80) printf "%s:%d: a function of %d lines\n", FILENAME, start, FNR - start; start = 0 }' \
  $(printf '%s\n' "${code[@]}" | grep -E '^(core|plugins|metrics)/.*\.c$') | fault
# pins.c is a list that freeze.sh prints: as long as the ABI is.
wc -l "${code[@]}" | awk '$2 != "total" && $2 != "test/abi/pins.c" && $1 > 600 { print $2 ":1: " $1 " lines; is it one subject?" }' | fault

if command -v clang-format >/dev/null; then
  clang-format --dry-run -Werror "${code[@]}" 2>&1 | grep -E 'error:' | sed 's/ \[-Wclang-format-violations\]//' | fault
fi
for script in $(ours | grep -E '\.sh$|^\.ci/run$'); do bash -n "$script" 2>&1 | fault; done

[ "$faults" = 0 ] || { echo "style: $faults faults"; exit 1; }
echo "style: ${#code[@]} files, no faults"
