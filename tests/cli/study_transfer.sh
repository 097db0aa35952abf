# SPDX-License-Identifier: Apache-2.0
# A second stage on other data than the first, with another number of classes:
# the example's grid, on small sets in place of its own.
mkdir from to
tiny_set from 20 2
tiny_set to 20 2 4
sed -e 's/data: cifar100/data: from/' -e 's/data: cifar10}/data: to}/' \
    -e 's/^base: {/&model: resnet20, batch: 64, epochs: 1, /' \
    "$SOURCE/examples/two-stage-transfer.yaml" >own.yaml
ballast study own.yaml --out dir --imbalance 4 --threads 1 --quiet |
    sed -E 's/[0-9]+\.[0-9]+/E/g; 8q'
for cell in dir/cells/*; do
    json_value data imbalance <"$cell/result.json" | paste -s -d ' ' -
done | sort | uniq -c | sed 's/^ *//'
for classes in 10 4; do
    grep -l "\"train_count\"" dir/cells/*/result.json | while read -r file; do
        [ "$(grep -c '"train_count"' "$file")" -ne $classes ] || echo $classes
    done
done | sort | uniq -c | sed 's/^ *//'
