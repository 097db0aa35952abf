#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check.sh CC INCLUDE WHAT: include/ballast/WHAT.h alone, twice, as C11 and as
# C++17 under flags harsher than a user is likely to have.
set -eu
cc=$1 include=$2 what=$3

dir=$(mktemp -d "${TMPDIR:-/tmp}/ballast-header.XXXXXX")
trap 'rm -rf "$dir"' EXIT
printf '#include "ballast/%s.h"\n#include "ballast/%s.h"\nint main(%s) { return 0; }\n' \
    "$what" "$what" void > "$dir/alone.c"
cp "$dir/alone.c" "$dir/alone.cc"

harsh='-fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef
       -Wcast-qual -Werror'
# Word splitting is meant.
# shellcheck disable=SC2086
"$cc" -x c -std=c11 $harsh -Wstrict-prototypes -Wc++-compat \
    -I"$include" "$dir/alone.c"
# shellcheck disable=SC2086
"$cc" -x c++ -std=c++17 $harsh -Wold-style-cast -I"$include" "$dir/alone.cc"
