# SPDX-License-Identifier: Apache-2.0
# Weights and features by class, as JSON and in the table; a run's result.json
# has the weights as well.
mkdir tiny
tiny_set tiny 30 3
ballast train --data tiny --model resnet20 --epochs 1 --batch 50 --threads 1 \
    --method bbn --imbalance 10 --backend ref --quiet --out run >out
ballast eval run --features --json >json
json_value weight_norms compactness <json
json_value weight_norms.0 weight_norms.9 <json >wanted
json_value weight_norms.0 weight_norms.9 <run/result.json | diff wanted -
json_value compactness.0 compactness.9 <json |
    awk '!($1 > 0 && $1 <= 1) { print "compactness", $1 }'
ballast eval run --json | json_value compactness || echo $?
ballast eval run --features |
    sed -n '/^class/,$p' | sed 's/ *[0-9.]* %  .*/ E/' | head -3
