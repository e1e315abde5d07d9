#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# In a fresh Debian with the packages in build/package: install them, be operator, author of a plugin and embedder, and
# purge them. Then everything is as it was.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive MANPAGER=cat LC_ALL=C.UTF-8
debs=$(cd "$(dirname "$0")/../../build/package" && pwd)
plugins=/usr/lib/$(gcc -print-multiarch)/paddock/plugins
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() { echo "FAILED: $1" >&2; exit 1; }
apt() { apt-get -y -q "$@" >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; exit 1; }; }
# Logs, caches and dpkg's own books are not ours to clean.
files() {
  find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /paddock -o -path "$work" -o -path /var/log \
    -o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/apt \) -prune -o -printf '%M %u %g %p %l\n' | sort
}

files >before
echo "== an embedder, who has the libraries alone"
apt install "$debs"/libpaddock0_*.deb "$debs"/paddock-dev_*.deb
examples=/usr/share/doc/paddock-dev/examples
# shellcheck disable=SC2046
cc -o by_pkgconfig $examples/embed_router/*.c $(pkg-config --cflags --libs paddock-router)
./by_pkgconfig >/dev/null
mkdir project
cat >project/CMakeLists.txt <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(embedder C)
find_package(paddock REQUIRED)
foreach(library paddock paddock-router paddock-static paddock-router-static)
  add_executable(with-\${library} $examples/embed_router/main.c)
  target_link_libraries(with-\${library} paddock::\${library})
endforeach()
add_library(greet MODULE $examples/runner_minimal/plugin.c)
target_link_libraries(greet paddock::paddock-plugin)
CMAKE
cmake -G Ninja -S project -B project/build >/dev/null
cmake --build project/build >/dev/null
for library in paddock paddock-router paddock-static paddock-router-static; do ./project/build/with-$library >/dev/null; done

apt install "$debs"/*.deb
[ -z "$(dpkg --verify | grep -i paddock)" ] || fail "what is installed is not what was packed"

echo "== an operator"
paddock version
paddock plugins >listed
for plugin in echo sleep subprocess prometheus; do
  grep -q "$plugin" listed || fail "paddock plugins does not list $plugin"
  [ -f "$plugins/$plugin.so" ] || fail "$plugins/$plugin.so is missing"
done
paddock run -- sh -c 'echo "installed and running"'
printf 'plugins: [{use: subprocess, isolation: process}]\ntasks: {one: [echo, isolated]}\n' >isolated.yaml
[ "$(paddock run -q isolated.yaml)" = isolated ] || fail "a plugin does not run in a process of its own"
paddock check /etc/paddock/paddock.yaml
for file in /usr/share/doc/paddock/examples/*.yaml; do paddock check "$file"; done
for page in "1 paddock" "5 paddock.yaml" "7 paddock-plugin"; do
  # shellcheck disable=SC2086 # two words
  man $page | grep -qi paddock || fail "there is no manual page $page"
done
bash -c 'source /usr/share/bash-completion/completions/paddock && complete -p paddock' >/dev/null
for file in zsh/vendor-completions/_paddock fish/vendor_completions.d/paddock.fish; do
  [ -s "/usr/share/$file" ] || fail "there is no completion $file"
done
[ -f /usr/lib/systemd/system/paddock.service ] || fail "there is no unit"

echo "== an author of a plugin"
if paddock help new >/dev/null 2>&1; then
  paddock new runner greet -o greet >/dev/null
  make -C greet test >made 2>&1 || { cat made; fail "what paddock new writes does not build and pass its tests by make"; }
  { cmake -G Ninja -S greet -B greet/by-cmake && cmake --build greet/by-cmake && ctest --test-dir greet/by-cmake --no-tests=error; } \
    >made 2>&1 || { cat made; fail "what paddock new writes does not build and pass its tests by CMake"; }
  paddock run --plugin greet/build/greet.so greet/paddock.yaml
else
  # shellcheck disable=SC2046 # words are wanted
  cc -shared -fPIC -fvisibility=hidden -o greet.so /usr/share/doc/paddock-dev/examples/runner_minimal/plugin.c \
    $(pkg-config --cflags paddock-plugin)
  printf 'tasks:\n  hello:\n    kind: greet\n    with: {name: packages}\n' >greet.yaml
  paddock run --plugin ./greet.so greet.yaml
fi

echo "== configuration that was changed stays, and goes when purged"
echo '# mine' >>/etc/paddock/paddock.yaml
apt install --reinstall "$debs"/paddock_*.deb
grep -q '^# mine' /etc/paddock/paddock.yaml || fail "an upgrade has overwritten the configuration"
apt remove paddock
[ -f /etc/paddock/paddock.yaml ] || fail "to remove the package has removed the configuration"

mapfile -t ours < <(dpkg-query -W -f '${Package}\n' '*paddock*')
apt purge "${ours[@]}"
files >after
diff before after || fail "the packages have left this behind"
! dpkg-query -W '*paddock*' 2>/dev/null | grep . || fail "dpkg still knows them"
! ls /var/lib/dpkg/info/*paddock* 2>/dev/null || fail "dpkg still has files of them"
echo "== purged without a trace"
