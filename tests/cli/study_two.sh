# SPDX-License-Identifier: Apache-2.0
# Two studies at once in one folder: each trains what the other does not, and
# the table of the one that ends last has the cells of both.
mkdir tiny
tiny_set tiny 20 2
cat >own.yaml <<'END'
base: {data: tiny, model: resnet20, batch: 64}
grid: {epochs: [15, 40]}
END
set -- own.yaml --out dir --threads 1 --quiet --csv
ballast study "$@" >out1 2>errors1 &
until cat dir/cells/*/metrics.jsonl >lines 2>/dev/null; do sleep 0.02; done
ballast study "$@" >out2 2>errors2
second=$?
wait $! && echo one ended well
[ $second -ne 0 ] || echo one ended well
cut -d, -f1-3 dir/table.csv
