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

# The halves of a row of two branches, which make up the whole.
json_value weight_norms.3 weight_norms_uniform.3 weight_norms_reversed.3 \
    <json | awk '{ n[NR] = $1 }
        END { d = n[1] ^ 2 - n[2] ^ 2 - n[3] ^ 2
              if (n[2] <= 0 || n[3] <= 0 || d ^ 2 > 1e-8) print "halves" }'

# Cosines are no logits of a softmax, and their rows have no length.
ballast train --data tiny --model resnet20 --epochs 1 --batch 50 --threads 1 \
    --method ldam --imbalance 10 --backend ref --quiet --out cosine >out
ballast eval cosine --json >json
for file in json cosine/result.json; do
    json_value nll ece reliability.0.count weight_norms.0 <$file|
        paste -s -d ' ' -
    if grep weight_norms_ $file; then exit 1; fi
done
ballast eval cosine | awk '/^mean of/ { print $NF } /^9/ { print $6 }'
