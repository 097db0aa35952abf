# SPDX-License-Identifier: Apache-2.0
# What is deferred changes no digit before it begins, after four fifths of a
# run, and some then.
mkdir tiny
tiny_set tiny 20 2
epochs() { sed -n "$2p" "$1/metrics.jsonl" | sed 's/,"seconds".*//'; }
for method in ce ce-drw ce-drs; do
    ballast train --data tiny --model resnet20 --imbalance 10 --epochs 5 \
        --batch 32 --threads 1 --method $method --out $method --quiet >out
done
epochs ce 1,4 >wanted
wc -l <wanted
for method in ce-drw ce-drs; do
    epochs $method 1,4 | cmp - wanted
    [ "$(epochs $method 5)" != "$(epochs ce 5)" ] || echo "$method is ce"
done
