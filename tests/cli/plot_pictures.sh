# SPDX-License-Identifier: Apache-2.0
# Every picture by gnuplot itself, in both formats, of a run and a study with
# names that would do harm if anything evaluated them.
# shellcheck disable=SC2016 # nothing is to be expanded in them
command -v gnuplot >/dev/null || {
    echo "skipped: gnuplot is not installed (package gnuplot-nox)"
    exit 77
}
status() { "$@" || echo $?; }
mkdir tiny
tiny_set tiny 20 4
ballast train --data tiny --imbalance 10 --method bbn --model resnet20 \
    --epochs 2 --batch 16 --quiet --threads 1 --backend ref --out run >out
cp run/result.json plain
sed -e 's/"name": "0"/"name": "`touch x`"/' \
    -e 's/"name": "1"/"name": "$(touch x)"/' \
    -e 's/"name": "2"/"name": "\\"; system(\\"touch x\\"); \\""/' \
    -e "s/\"name\": \"3\"/\"name\": \"'.system('touch x').'\"/" \
    -e 's/"name": "4"/"name": "\\n!touch x\\n"/' \
    -e 's/"name": "5"/"name": "@x {\/Bold x} a_b^c"/' \
    -e 's/"name": "6"/"name": "<b>\&amp; 50%s %d"/' \
    -e 's/"name": "7"/"name": "EOD\\nEND_OF_DATA\\nset output"/' \
    -e 's/"name": "8"/"name": "\\u0001\\\\ \\\\140touch x\\\\140"/' \
    -e 's/"name": "9"/"name": "caf\\u00e9 \\u4e2d"/' plain >run/result.json
cmp -s plain run/result.json && echo "names are as they were"
ballast plot run --out svg
ballast plot run --out png --format png
for file in svg/*.svg; do head -n 1 "$file" | grep -q '^<?xml' || echo "$file"; done
for file in png/*.png; do head -c 4 "$file" | tail -c 3; done
echo
for name in '`touch x`' '$(touch x)' '"; system("touch' "'.system('touch" \
    '@x {/Bold x} a_b^c' '&lt;b>&amp;amp; 50%s %d' 'EOD END_OF_DATA s' \
    '\ \140touch x\140' 'café 中'; do
    grep -qF "$name" svg/classes.svg || echo "no $name"
done
mkdir study
cat >study/table.json <<'END'
{"study": "own", "epochs": 2, "cells": 4, "finished": 3, "row_axis": "`touch x`",
 "column_axes": ["$(touch x)"], "rows": ["ce", "`touch x` 5%d"],
 "columns": [["'.system('touch x').'"], ["b_c"]], "entries": [
 {"row": "ce", "column": ["b_c"], "error_last": 0.5, "error_last_sd": 0.01},
 {"row": "`touch x` 5%d", "column": ["b_c"], "error_last": 0.25, "published": 0.2},
 {"row": "ce", "column": ["'.system('touch x').'"], "error_last": 0.4}]}
END
ballast plot study
ballast plot study --format png >out
grep -qF '`touch x` 5%d' study/plots/map.svg || echo "no row"
find . -name x
