# SPDX-License-Identifier: Apache-2.0
# Two processes at once give what one gives; a signal stops both after their
# checkpoints, and the study goes on.
mkdir tiny
tiny_set tiny 20 2
cat >own.yaml <<'END'
base: {data: tiny, model: resnet20, epochs: 15, batch: 64}
grid: {method: [ce, bbn]}
then:
  base: {method: retrain}
  grid: {stage2.sampler: balanced}
END
set -- own.yaml --threads 1 --quiet
count() { echo $#; }
both() { [ "$(find dir -name metrics.jsonl 2>/dev/null | grep -c .)" -ge 2 ]; }
ballast study "$@" --out whole >out
ballast study "$@" --out dir --jobs 2 >out &
until both; do sleep 0.02; done
kill -TERM $!
wait $! || echo $?
count dir/cells/*
for run in dir/cells/*; do
    [ -e "$run/resume.safetensors" ] || echo "no checkpoint in $run"
    [ ! -e "$run/result.json" ] || echo "a result in $run"
done
ballast study "$@" --out dir --jobs 2 >out
for run in whole/cells/*; do
    cmp "$run/last.safetensors" "dir/cells/${run##*/}/last.safetensors"
done
cmp whole/table.csv dir/table.csv
