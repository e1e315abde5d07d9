#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clean_debian.sh [--with "PACKAGE..."] [--bring FILE]... COMMAND...: run a command in a copy of this tree inside a fresh
# Debian root, and remove the root. --with: these are installed before; --bring: also copy a file that git does not know.
# Needs root. A root once made is kept as a tar file in build/, so that the next time is quick.
set -euo pipefail
cd "$(dirname "$0")/.."

with=() bring=()
while [ $# -gt 0 ]; do
  case "$1" in
    --with) read -ra with <<<"$2" ;;
    --bring) bring+=("$2") ;;
    *) break ;;
  esac
  shift 2
done

[ "$(id -u)" = 0 ] || { echo "clean_debian.sh: needs root, for debootstrap and chroot" >&2; exit 1; }
bash core/cmake/packages.sh check

mkdir -p build
archive=$PWD/build/debian-bookworm.tar
root=$(mktemp -d /var/tmp/paddock-debian.XXXXXX)
finish() {
  umount -l "$root/proc" "$root/dev" "$root/sys" 2>/dev/null || true
  umount -l "$root" 2>/dev/null || true
  rm -rf --one-file-system "$root"
}
trap finish EXIT

echo "==> A fresh Debian in $root"
if [ -f "$archive" ]; then
  tar -C "$root" -xf "$archive"
else
  log=$(mktemp)
  debootstrap --variant=minbase bookworm "$root" >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
  rm -f "$log"
  tar -C "$root" -cf "$archive.part" . && mv "$archive.part" "$archive"
fi

# The kept root with these packages is another one.
if [ ${#with[@]} -gt 0 ]; then
  more=${archive%.tar}-$(printf '%s ' "${with[@]}" | sha256sum | cut -c 1-12).tar
  if [ -f "$more" ]; then
    tar -C "$root" -xf "$more"
  else
    log=$(mktemp)
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    chroot "$root" env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c \
      'apt-get update && apt-get install -y --no-install-recommends "$@" && apt-get clean' sh "${with[@]}" >"$log" 2>&1 ||
      { tail -n 20 "$log" >&2; exit 1; }
    rm -f "$log" "${archive%.tar}"-*.tar
    tar -C "$root" -cf "$more.part" . && mv "$more.part" "$more"
  fi
fi
mount --bind "$root" "$root" # a root that is no mount has no mount namespaces either
chmod 755 "$root" # mktemp lets nobody else in, and some tests are somebody else
cp /etc/resolv.conf "$root/etc/resolv.conf"
echo "127.0.0.1 localhost" >"$root/etc/hosts"
mount -t proc proc "$root/proc"
for folder in dev sys; do
  mount --rbind "/$folder" "$root/$folder"
  mount --make-rslave "$root/$folder"
done

mkdir "$root/paddock"
# What was unpacked from an archive has no git to say what belongs to it.
list() { git ls-files -z 2>/dev/null || find . -path ./build -prune -o -path ./.git -prune -o \( -type f -o -type l \) -printf '%P\0'; }
{ list; [ ${#bring[@]} = 0 ] || printf '%s\0' "${bring[@]}"; } | tar -c --null -T - | tar -C "$root/paddock" -x
started=$(date +%s)
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" \
  sh -c 'cd /paddock && exec "$@"' sh "$@"
echo "==> $* took $(($(date +%s) - started)) s in the fresh Debian"
