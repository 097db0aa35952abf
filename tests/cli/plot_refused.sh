# SPDX-License-Identifier: Apache-2.0
# What plot does not take: no run, nothing to draw, a damaged result.
status() { "$@" || echo $?; }
mkdir tiny empty
tiny_set tiny 20 4
ballast train --data tiny --model resnet20 --epochs 1 --batch 50 --quiet \
    --threads 1 --backend ref --out run >out
status ballast plot
status ballast plot nowhere
status ballast plot empty
status ballast plot run --format gif
cp -r run cut
head -c 700 run/result.json >cut/result.json
status ballast plot cut
cp -r run other
echo '{"epoch":1,"lr":"0.1"}' >other/metrics.jsonl
status ballast plot other
mkdir -p run/plots/curves.gp
status ballast plot run
rm -r other/metrics.jsonl other/result.json
status ballast plot other
mkdir study
echo '{"study": "own", "cells": 1, "finished": 0, "rows": [7]}' >study/table.json
status ballast plot study
