# SPDX-License-Identifier: Apache-2.0
# A signal in the middle writes a checkpoint and says how to go on; a run
# that was stopped twice ends with the very weights of one that was not.
mkdir tiny
tiny_set tiny 20 2
set -- --data tiny --method bbn --model resnet20 --epochs 60 --batch 64 \
    --threads 1 --quiet
epochs() {
    if [ -e run/metrics.jsonl ]; then wc -l <run/metrics.jsonl; else echo 0; fi
}
stop_after() { # lines of metrics, signal, process
    while [ "$(epochs)" -lt "$1" ]; do sleep 0.02; done
    kill -"$2" "$3"
    wait "$3" || echo $?
    [ "$(epochs)" -lt 60 ] || echo "was not stopped early"
}

ballast train "$@" --out whole >out
ballast train "$@" --out run >out &
stop_after 1 TERM $!
ballast train --resume run --quiet >out &
stop_after 20 INT $!
[ ! -e run/result.json ] || echo "has a result already"
ballast train --resume run --quiet >out

cmp whole/last.safetensors run/last.safetensors
cmp whole/best.safetensors run/best.safetensors
sed 's/,"seconds".*//' whole/metrics.jsonl >a
sed 's/,"seconds".*//' run/metrics.jsonl >b
cmp a b
