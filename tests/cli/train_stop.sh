# SPDX-License-Identifier: Apache-2.0
# SIGTERM in the middle writes a checkpoint and says how to go on; the resumed
# run ends with the very weights of one that was not stopped.
mkdir tiny
tiny_set tiny 20 2
set -- --data tiny --method bbn --model resnet20 --epochs 60 --batch 64 \
    --threads 1 --quiet
ballast train "$@" --out whole >out
ballast train "$@" --out run >out &
while [ ! -s run/metrics.jsonl ]; do sleep 0.02; done
kill -TERM $!
wait $! || echo $?
[ "$(grep -c . run/metrics.jsonl)" -lt 60 ] || echo "was not stopped early"
[ ! -e run/result.json ] || echo "has a result already"
ballast train --resume run --quiet >out
cmp whole/last.safetensors run/last.safetensors
cmp whole/best.safetensors run/best.safetensors
sed 's/,"seconds".*//' whole/metrics.jsonl >a
sed 's/,"seconds".*//' run/metrics.jsonl >b
cmp a b
