# SPDX-License-Identifier: Apache-2.0
# A cell that fails is named with its reason, what needs it is left out, and
# the others go on; the same with a process each.
mkdir tiny
tiny_set tiny 20 2
cat >own.yaml <<'END'
base: {data: tiny, model: resnet20, epochs: 2, batch: 16,
       schedule.warmup: none}
grid: {lr: [1e6, 0.1]}
then:
  base: {method: retrain}
  grid: {stage2.sampler: balanced}
END
for jobs in 1 2; do
    ballast study own.yaml --out dir$jobs --jobs $jobs --threads 1 --quiet \
        --csv >out || echo $?
    cut -d, -f1-4 out
done
# What another run left in the folder is not taken for this one's.
mkdir -p other
cp -r dir1/cells other
for run in other/cells/*; do
    sed 's/^lr: 0.1$/lr: 0.7/' "$run/run.yaml" >t
    mv t "$run/run.yaml"
done
ballast study own.yaml --out other --set lr=0.1 --threads 1 --quiet \
    >out 2>errors || echo $?
grep -c 'holds another run: lr is "0.7", wanted "0.1"; move the folder away' \
    errors
