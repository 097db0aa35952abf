# SPDX-License-Identifier: Apache-2.0
# A study that is stopped, and one whose process is killed, go on where they
# were and end with the very weights of one that was not.
mkdir tiny
tiny_set tiny 20 2
cat >own.yaml <<'END'
base: {data: tiny, model: resnet20, epochs: 12, batch: 64}
grid: {method: [ce, bbn]}
END
set -- own.yaml --threads 1 --quiet
epochs() { cat dir/cells/"$1"-*/metrics.jsonl 2>/dev/null | wc -l; }
stop_after() { # method, lines of its metrics, signal, process
    while [ "$(epochs "$1")" -lt "$2" ]; do sleep 0.02; done
    kill -"$3" "$4"
    wait "$4" 2>>errors || echo $?
    [ "$(epochs "$1")" -lt 12 ] || echo "was not stopped early"
}

ballast study "$@" --out whole >out
ballast study "$@" --out dir >out &
stop_after ce 3 TERM $!
[ ! -s out ] || echo "printed a table"
ballast study "$@" --out dir >out &
stop_after ce 7 9 $!
ballast study "$@" --out dir >out &
stop_after bbn 4 INT $!
ballast study "$@" --out dir --dry-run --set precision=auto >list
awk 'NR > 1 && NF { print $1 } /^$/ { exit }' list
ballast study "$@" --out dir >out
for run in whole/cells/*; do
    cmp "$run/last.safetensors" "dir/cells/${run##*/}/last.safetensors"
done
cmp whole/table.txt dir/table.txt
