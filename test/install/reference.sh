#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# reference.sh BUILD: Doxygen makes pages of the public headers without a warning, and what their comments say is in them.
# Exit 77: there is no doxygen.
set -euo pipefail
build=$1
command -v doxygen >/dev/null || {
  [ "${CI:-}" != true ] || { echo "FAILED: there is no doxygen"; exit 1; }
  echo "SKIPPED: there is no doxygen; on Debian it is in a package of that name"
  exit 77
}
doxygen "$build/reference/Doxyfile"

says() { # says PAGE TEXT: anywhere in it, tags and line ends aside
  sed 's/<[^>]*>//g' "$build/reference/$1" | tr '\n' ' ' | grep -qF "$2" || { echo "FAILED: $1 does not say \"$2\""; exit 1; }
}
says structpdk__host.html "Exactly once for each start that returned 0, also from inside start."      # before a member
says structpdk__plugin.html "older hosts refuse it with a clear line"                                   # behind one
says runner_8h.html "the role that executes."                                                         # of a file
says base_8h.html "Does *p, made by somebody older or younger, reach as far as this member?"          # of a macro
says router_8h.html "Enter a plugin from memory, last in order. It must live as long as the router."  # of a function
