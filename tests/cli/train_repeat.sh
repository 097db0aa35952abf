# SPDX-License-Identifier: Apache-2.0
# The run.yaml of a run, fed back, gives the same weights bit for bit; one that
# was made otherwise is told of, unless the difference is wanted.
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
sed 's/^  precision: .*/  precision: "fp64"/' a/run.yaml >other.yaml
ballast train --config other.yaml --epochs 1 --quiet --out d 2>said >out
grep -c 'warning: other.yaml: its run was made on fp64 and is repeated on ' said
ballast train --config other.yaml --epochs 1 --quiet --precision fp32 \
    --out e >out
