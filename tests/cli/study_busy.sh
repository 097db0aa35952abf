# SPDX-License-Identifier: Apache-2.0
# A cell that another process holds is left to it, with what waits for it, and
# is no failure; the same command goes on later.
command -v flock >/dev/null || {
    echo "skipped: flock is not there (package util-linux)"
    exit 77
}
mkdir tiny
tiny_set tiny 20 2
cat >own.yaml <<'END'
base: {data: tiny, model: resnet20, epochs: 1, batch: 64}
grid: {lr: [0.1, 0.2]}
then:
  base: {method: retrain}
  grid: {stage2.sampler: balanced}
END
set -- own.yaml --out dir --threads 1 --quiet --csv
ballast study "$@" >whole
folders() { grep -l '^lr: 0.1$' dir/cells/"$1"-*/run.yaml; }
first=$(folders ce) second=$(folders retrain)
first=${first%/*} second=${second%/*}
for jobs in 1 2; do
    find "$first" "$second" -type f ! -name .lock -exec rm {} +
    flock "$first/.lock" ballast study "$@" --jobs $jobs >out || echo $?
    cut -d, -f1-4 out
    ballast study "$@" --jobs $jobs | cut -d, -f1-4 >again
    cut -d, -f1-4 whole | cmp - again
done
flock "$first/.lock" ballast train --resume "$first" || echo $?
