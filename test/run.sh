#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All the tests, on an empty Debian too: installs what they need, builds, runs, and ends with one line.
#
#   test/run.sh                 everything, in the order below
#   test/run.sh STEP...         only these steps
#   test/run.sh test -R NAME    options behind a single build step go to ctest
#
# Each build is kept in build/STEP, so the second time only what changed is compiled.
set -uo pipefail
cd "$(dirname "$0")/.."

steps=(style test asan tsan valgrind tidy fuzz package)
declare -A about=(
  [style]="format, forbidden calls, sizes, one place for each library"
  [test]="every test, warnings being errors"
  [asan]="again, under address and undefined behaviour sanitizers"
  [tsan]="what has threads, under the thread sanitizer"
  [valgrind]="unit tests and simulations, under valgrind"
  [tidy]="clang-tidy and its analyzer over the sources"
  [fuzz]="each fuzzer, a few seconds beyond its corpus"
  [package]="Debian packages: made, looked at, installed in a fresh Debian, used, purged"
)

bold='' red='' green='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' red=$'\e[1;31m' green=$'\e[1;32m' plain=$'\e[0m'; fi

case "${1:-}" in
  -h|--help) sed -n '3,9s/^# \{0,1\}//p' "$0"; for step in "${steps[@]}"; do printf '  %-9s %s\n' "$step" "${about[$step]}"; done; exit 0 ;;
esac
options=()
if [ $# -gt 0 ]; then
  wanted=()
  while [ $# -gt 0 ] && [ -n "${about[$1]:-}" ]; do wanted+=("$1"); shift; done
  options=("$@")
  [ ${#wanted[@]} -gt 0 ] || { echo "run.sh: there is no step $1; the steps are: ${steps[*]}" >&2; exit 2; }
  steps=("${wanted[@]}")
fi

jobs=$(nproc)
build() { # build PRESET [TARGET...]: configure and compile, quietly unless it fails
  local log preset=$1; log=$(mktemp); shift
  if ! { cmake --preset "$preset" --log-level=WARNING && cmake --build --preset "$preset" ${1:+--target "$@"} -- --quiet; } >"$log" 2>&1; then
    tail -n 60 "$log"; rm -f "$log"; return 1
  fi
  rm -f "$log"
}
run_ctest() { # run_ctest PRESET options...
  local preset=$1; shift
  ctest --preset "$preset" -j "$jobs" --no-tests="${no_tests:-error}" "$@" "${options[@]}"
}

run_style() { bash test/style.sh; }
run_test() { build test && run_ctest test; }
# The leak checker of gcc 12 crashes by itself now and then ("Tracer caught signal 11"), and takes the exit status of the
# program along. Tests of the program live by that, so they look for all else; leaks are found by those that call us.
run_asan() {
  local no_tests=error
  [ ${#options[@]} = 0 ] || no_tests=ignore # what was asked for may be in one part alone
  export UBSAN_OPTIONS=print_stacktrace=1
  build asan &&
    ASAN_OPTIONS=detect_stack_use_after_return=1 run_ctest asan -LE 'bench|abi|func' &&
    ASAN_OPTIONS=detect_stack_use_after_return=1:detect_leaks=0 run_ctest asan -L func -LE 'bench|abi'
}
run_tsan() { build tsan && TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 run_ctest tsan -L 'unit|sim|thread'; }
run_valgrind() { build test && bash test/valgrind.sh build/test; }
run_tidy() { bash test/tidy.sh; }
run_fuzz() { build fuzz fuzzers && bash test/fuzz/run.sh build/fuzz; }
run_package() { bash test/package/run.sh; }

started=$SECONDS
echo "${bold}==> packages${plain}"
bash core/cmake/packages.sh build test browser check || exit 1
failed=()
for step in "${steps[@]}"; do
  echo "${bold}==> $step${plain}: ${about[$step]}"
  begun=$SECONDS
  if "run_$step"; then echo "${green}    $step passed${plain} in $((SECONDS - begun)) s"
  else echo "${red}    $step FAILED${plain} after $((SECONDS - begun)) s"; failed+=("$step"); fi
done

echo
if [ ${#failed[@]} -gt 0 ]; then
  echo "${red}FAILED: ${failed[*]}${plain}, after $((SECONDS - started)) s. Once more, alone: bash test/run.sh ${failed[*]}"
  exit 1
fi
echo "${green}All passed${plain} in $((SECONDS - started)) s: ${steps[*]}"
