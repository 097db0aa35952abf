#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# symbols.sh NM LIBRARY INCLUDE: the library exports the functions that the
# public headers declare BL_API, all of them and nothing else.
set -eu
nm=$1 library=$2 include=$3

dir=$(mktemp -d "${TMPDIR:-/tmp}/ballast-symbols.XXXXXX")
trap 'rm -rf "$dir"' EXIT

# The version node itself is an absolute symbol (A).
"$nm" -D --defined-only "$library" |
    awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort > "$dir/exported"
# The first bl_name that a parenthesis follows, after BL_API.
cat "$include"/*.h | awk '
    /^BL_API/ { text = "" ; open = 1 }
    open      { text = text " " $0 }
    open && /;/ {
        open = 0
        if (match(text, /bl_[a-z0-9_]+ *\(/)) {
            name = substr(text, RSTART, RLENGTH)
            sub(/ *\($/, "", name)
            print name
        }
    }' | sort > "$dir/declared"

if ! diff "$dir/declared" "$dir/exported" > "$dir/diff"; then
    echo "exported symbols differ from the headers"
    echo "(< declared but not exported, > exported but not declared):"
    grep '^[<>]' "$dir/diff"
    exit 1
fi
test -s "$dir/exported"
