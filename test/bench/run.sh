#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every benchmark, one after the other, on a quiet machine: figures are ratios within this run.
#
#   run.sh            all, about twelve minutes
#   run.sh NAME...    some of: process loop timers yaml router supervisor metrics kill readers graphile peers ...
#
# Installs the peers it compares with from Debian's packages.
set -euo pipefail
cd "$(dirname "$0")/../.."

peers=(make findutils parallel task-spooler runit s6 supervisor)
bash core/cmake/packages.sh build test
missing=()
for package in "${peers[@]}"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
if [ ${#missing[@]} -gt 0 ]; then
  echo "   installing ${missing[*]}, to compare with"
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    echo "run.sh: some peers could not be installed: they are left out" >&2
fi

build=build/bench
cmake --preset bench --log-level=WARNING >/dev/null
cmake --build --preset bench -- --quiet
ulimit -n "$(ulimit -H -n)"

echo "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
names=("$@")
if [ ${#names[@]} = 0 ]; then
  for program in "$build"/test/bench-*; do names+=("$(basename "$program" | sed s/^bench-//)"); done
  names+=(kill readers graphile peers)
fi
for name in "${names[@]}"; do
  echo; echo "== $name"
  case $name in
    peers) python3 test/bench/peers.py $build ;;
    kill) PADDOCK=$PWD/$build/bin/paddock python3 test/daemon/kill.py --kills "${KILLS:-500}" ;;
    readers) PADDOCK=$PWD/$build/bin/paddock python3 test/daemon/test_readers.py ;;
    graphile) python3 test/bench/graphile.py $build ;;
    *) "$build/test/bench-$name" ;;
  esac
done
