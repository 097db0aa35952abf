# SPDX-License-Identifier: Apache-2.0
# Cells that differ in a key that they do not read are one run, which is
# trained once and stands at each of their places; so is what follows them.
mkdir tiny
tiny_set tiny 20 2
cat >own.yaml <<'END'
base: {data: tiny, model: resnet20, epochs: 2, batch: 64}
grid: {method: [ce], loss.gamma: [1, 2]}
then:
  base: {method: retrain}
  grid: {stage2.sampler: balanced}
END
for jobs in 1 2; do
    ballast study own.yaml --out dir$jobs --jobs $jobs --threads 1 --csv \
        >out$jobs 2>progress
    cut -d, -f1-4 out$jobs
    sed 1d out$jobs | cut -d, -f4- | uniq | wc -l
    find dir$jobs/cells -mindepth 1 -maxdepth 1 | wc -l
done
# Nor is it trained again where such a key is set for all.
ballast study own.yaml --out dir1 --threads 1 --set mix.alpha=3 --csv \
    2>&1 | cmp - out1
# One of them is what it takes, and when it fails, is what failed.
ballast study own.yaml --dry-run --quiet --json >out
grep -c '"seconds_left": 0[,}]*$' out
for jobs in 1 2; do
    ballast study own.yaml --out bad$jobs --jobs $jobs --threads 1 --quiet \
        --set lr=1e6 --set schedule.warmup=none >out 2>errors || echo $?
    sed 's/: epoch .*/: reason/' errors
done
