# SPDX-License-Identifier: Apache-2.0
# A run is not replaced unless asked to, and only then if it has just begun.
mkdir tiny
tiny_set tiny 10 1
run() {
    ballast train --data tiny --model resnet20 --epochs 1 --batch 50 \
        --backend ref --quiet --out run "$@" >out || echo $?
}
run
cp run/last.safetensors before
run --seed 1
run --seed 1 --overwrite-begun
cmp run/last.safetensors before
run --seed 1 --overwrite
if cmp -s run/last.safetensors before; then echo "is still there"; fi
rm run/resume* run/result.json
run --overwrite-begun
cmp run/last.safetensors before
