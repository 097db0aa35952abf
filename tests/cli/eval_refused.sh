# SPDX-License-Identifier: Apache-2.0
# What eval does not take: another file in the place of logits, --best of a
# file, a folder that holds no run.
status() { "$@" || echo $?; }
mkdir tiny
tiny_set tiny 4 2
ballast train --data tiny --model resnet20 --epochs 1 --batch 8 --threads 1 \
    --quiet --out run >out
cp run/last.safetensors before
status ballast eval run --logits run/last.safetensors
cmp before run/last.safetensors
status ballast eval run/last.safetensors --data tiny --best
status ballast eval run/resume.safetensors --data tiny
status ballast eval tiny
status ballast train --resume tiny
