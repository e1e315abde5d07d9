#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# page.sh BUILD SOURCE: "Write a runner in ten minutes", read to the letter by somebody who has just installed Paddock.
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_LIBRARY_PATH DESTDIR MAKEFLAGS CFLAGS LDFLAGS NO_COLOR
prefix=$work/prefix
cmake --install "$build" --prefix "$prefix" >/dev/null
export PKG_CONFIG_PATH LC_ALL=C PYTHONDONTWRITEBYTECODE=1 PATH=$prefix/bin:$PATH
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name paddock-plugin.pc)")
mkdir "$work/page"
python3 "$source/test/install/page.py" "$source/plugins/README.md" "$work/page"
