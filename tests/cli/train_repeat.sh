# SPDX-License-Identifier: Apache-2.0
# The run.yaml of a run, fed back, gives the same weights bit for bit.
mkdir tiny
tiny_set tiny 20 4
ballast train --data tiny --imbalance 10 --method bbn --model resnet20 \
    --epochs 2 --batch 16 --seed 5 --threads 1 --quiet --out a >out
ballast train --config a/run.yaml --quiet --out b >out
cmp a/last.safetensors b/last.safetensors
ballast train --config a/run.yaml --seed 6 --quiet --out c >out
if cmp -s a/last.safetensors c/last.safetensors; then
    echo "the seed has no effect"
fi
