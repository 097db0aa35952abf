#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lint.sh ROOT: what a compiler does not check about the house style.
#
#   every file   SPDX line first, at most 800 lines, 80 columns (pragmas and
#                tables fenced by clang-format off may be wider), no tabs, no
#                trailing blanks, no TODO or FIXME
#   functions    at most 70 lines
#   src/         no function that prints, exits, is unbounded, keeps hidden
#                state, or takes memory behind core/mem.c's back
#   includes     rooms see only rooms below them; the command, the examples
#                and the public headers see public headers only; vendor
#                headers stay in src/backend
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"

find include src cli tests bench examples -name '*.[ch]' 2> /dev/null |
    LC_ALL=C sort > "${TMPDIR:-/tmp}/ballast-lint.$$"
trap 'rm -f "${TMPDIR:-/tmp}/ballast-lint.$$"' EXIT
# File names have no blanks: they were globbed by CMake under the same rule.
# shellcheck disable=SC2046
LC_ALL=C awk -f "$here/lint.awk" $(cat "${TMPDIR:-/tmp}/ballast-lint.$$")
