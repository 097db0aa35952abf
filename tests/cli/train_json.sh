# SPDX-License-Identifier: Apache-2.0
# --json prints result.json, every member of it.
mkdir tiny
tiny_set tiny 20 4
ballast train --data tiny --imbalance 10 --model resnet20 --epochs 1 \
    --batch 16 --quiet --json --threads 1 --backend ref --out run >result
cmp result run/result.json
json_value method model data imbalance seed epochs precision backend \
    parameters best_epoch per_class per_class.0.name per_class.9.train_count \
    shot.many <result
json_value test_error_last test_error_best shot.medium shot.few seconds \
    samples_per_second per_class.0.error <result >/dev/null
