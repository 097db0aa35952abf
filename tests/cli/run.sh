#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs one case of the command line.
#
#   run.sh SOURCE BALLAST TOOLS CASE
#
# SOURCE is the root of the sources, BALLAST the program, TOOLS the folder of
# tiny_set and json_value, CASE the path of NAME.sh.  The script runs in an
# empty folder of its own, with the program on the path, no data set in reach
# and a plain locale.  Beside it may lie
#
#   NAME.exit           the exit status wanted; 0 where there is none
#   NAME.stdout.exact   the very output, or
#   NAME.stdout.glob    a shell pattern for the whole of it; * where lines vary
#   NAME.stderr.exact, NAME.stderr.glob
#
# A stream without a file must stay empty.  A script that exits with 77 lacks
# something it may lack: the test is skipped, and what it printed says why.
source=$1 ballast=$2 tools=$3 script=$4
case_path=${script%.sh}
work=$(mktemp -d "${TMPDIR:-/tmp}/ballast-cli.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

mkdir "$work/bin" "$work/home" "$work/here" || exit 1
ln -s "$ballast" "$work/bin/ballast" || exit 1
unset BALLAST_DATA XDG_CACHE_HOME LC_CTYPE LANG
LC_ALL=C COLUMNS=80 HOME=$work/home SOURCE=$source
PATH=$work/bin:$tools:$PATH
export LC_ALL COLUMNS HOME SOURCE PATH

(cd "$work/here" && exec sh -e "$script") \
    >"$work/stdout" 2>"$work/stderr" </dev/null
found=$?
failed=0
if [ "$found" = 77 ]; then
    cat "$work/stdout"
    exit 77
fi

wanted=0
[ ! -f "$case_path.exit" ] || wanted=$(cat "$case_path.exit")
if [ "$found" != "$wanted" ]; then
    echo "exit status: found $found, wanted $wanted"
    failed=1
fi

for stream in stdout stderr; do
    if [ -f "$case_path.$stream.glob" ]; then
        text=$(cat "$work/$stream")
        pattern=$(cat "$case_path.$stream.glob")
        # shellcheck disable=SC2254  # the pattern is meant as one
        case $text in
        $pattern) continue ;;
        esac
        echo "$stream does not match $case_path.$stream.glob; it is:"
        cat "$work/$stream"
    else
        exact=$case_path.$stream.exact
        [ -f "$exact" ] || exact=/dev/null
        diff -u "$exact" "$work/$stream" && continue
    fi
    failed=1
done
[ $failed = 0 ] || { echo "--- stderr"; cat "$work/stderr"; }
exit $failed
