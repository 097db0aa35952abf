# SPDX-License-Identifier: Apache-2.0
# kill -9 loses at most an epoch, and the end is the same.
mkdir tiny
tiny_set tiny 20 2
set -- --data tiny --model resnet20 --epochs 60 --batch 64 --threads 1 \
    --quiet
epochs() {
    if [ -e run/metrics.jsonl ]; then wc -l <run/metrics.jsonl; else echo 0; fi
}
ballast train "$@" --out whole >out
for lines in 2 20; do
    if [ $lines = 2 ]; then
        ballast train "$@" --out run >out &
    else
        ballast train --resume run --quiet >out &
    fi
    while [ "$(epochs)" -lt $lines ]; do sleep 0.02; done
    kill -9 $!
    wait $! 2>>errors || echo $?
done
ballast train --resume run --quiet >out
cmp whole/last.safetensors run/last.safetensors
epochs | tr -d ' '
