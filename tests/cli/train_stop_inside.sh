# SPDX-License-Identifier: Apache-2.0
# A stop inside the first epoch, when no epoch has closed yet, leaves a
# checkpoint of that very step.
mkdir tiny
tiny_set tiny 160 1
set -- --data tiny --model resnet20 --epochs 1 --batch 4 --threads 1 --quiet
ballast train "$@" --out whole >out
ballast train "$@" --out run >out &
while [ ! -s run/run.yaml ]; do sleep 0.02; done
sleep 0.1
kill -TERM $!
wait $! || echo $?
[ -s run/resume.safetensors ] || echo "no checkpoint"
[ ! -s run/metrics.jsonl ] || echo "was not stopped inside the epoch"
ballast train --resume run --quiet >out
cmp whole/last.safetensors run/last.safetensors
