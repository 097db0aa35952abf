# SPDX-License-Identifier: Apache-2.0
# Weights and features by class, in the table and as JSON: what a run has noted
# at its end, eval finds again; and so does a run whose result was removed.
mkdir tiny
tiny_set tiny 30 3
ballast train --data tiny --model resnet20 --epochs 1 --batch 50 --threads 1 \
    --method bbn --imbalance 10 --backend ref --quiet --out run >out
ballast eval run --json >json
json_value weight_norms compactness <json
json_value compactness.0 compactness.9 <json |
    awk '!($1 > 0 && $1 <= 1) { print "compactness", $1 }'
for file in json run/result.json; do
    json_value weight_norms.0 weight_norms.9 compactness.0 compactness.9 \
        <$file >$file.values
done
cmp json.values run/result.json.values
rm run/result.json
ballast train --resume run --quiet >out
json_value weight_norms.0 weight_norms.9 compactness.0 compactness.9 \
    <run/result.json | diff json.values -
ballast eval run |
    sed -n '/^class/,$p' | sed 's/ *[0-9.]* %  .*/ E/' | head -3
