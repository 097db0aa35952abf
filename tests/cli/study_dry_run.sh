# SPDX-License-Identifier: Apache-2.0
# A dry run names cells, states and times, and writes nothing.
mkdir tiny
tiny_set tiny 20 4
set -- --data tiny --imbalance 10 --epochs 2 --set model=resnet20 \
    --set batch=16 --threads 1
ballast study bbn-samplers "$@" --dry-run >a
head -1 a
awk 'NR > 1 && NF { sub(/ (- |[0-9.]+ s) +/, " "); print } /^$/ { exit }' a
grep -c 'bbn on resnet20: [0-9]* pairs/s, timed now' a
ballast study bbn-samplers "$@" --dry-run --quiet --set precision=fp32 |
    grep -c 'bbn on resnet20, fp32: [0-9]* pairs/s, timed now'
ballast study bbn-samplers "$@" --set bbn.sampler=balanced --out dir \
    --quiet >out
ballast study bbn-samplers "$@" --out dir --dry-run >b
awk 'NR > 1 && NF { sub(/ (- |[0-9.]+ s) +/, " "); print } /^$/ { exit }' b
grep -c 'bbn on resnet20: [0-9]* pairs/s, as its cells ran' b
ballast study bbn-samplers "$@" --out dir --dry-run --jobs 2 |
    grep -c 'to go, 2 at once$'
ballast study bbn-samplers "$@" --out dir --dry-run --json |
    json_value study cells.1.state cells.2.state speeds.0.measured
ls
count() { echo $#; }
count dir/cells/*
