# SPDX-License-Identifier: Apache-2.0
# default < method < file < option and --set, in whatever order they come.
cat >file.yaml <<'YAML'
method: bbn
epochs: 30
lr: 0.25
sgd:
  momentum: 0.85
YAML
ballast train --lr 0.375 --set sgd.weight-decay=0.0625 --config file.yaml \
    --print-config --drop-last=false >config
for key in batch seed schedule.warmup drop-last epochs sgd.momentum method \
    lr sgd.weight-decay data; do
    awk -v key=$key '$1 == key {print $1, $2, $3}' config
done
