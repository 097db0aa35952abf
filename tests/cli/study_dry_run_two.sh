# SPDX-License-Identifier: Apache-2.0
# A second stage is timed by itself: its steps run over a trunk that is fixed.
# The weights this takes leave nothing behind, nor when it is stopped.
mkdir tiny aside
tiny_set tiny 20 2
cat >own.yaml <<'END'
base: {data: tiny, model: resnet20, epochs: 100000, batch: 64}
grid: {method: [ce]}
then:
  base: {method: retrain}
  grid: {stage2.sampler: balanced}
END
TMPDIR=$PWD/aside ballast study own.yaml --dry-run --json --quiet --threads 1 \
    >list
json_value speeds.0.method speeds.1.method <list
json_value speeds.0.samples_per_second speeds.1.samples_per_second <list |
    awk '{ print ($1 > 0 ? "timed" : "not timed") }'
ls . aside
TMPDIR=$PWD/aside ballast study own.yaml --dry-run --quiet --threads 1 >list &
until find aside -name 'ballast-*' -size +0 | grep -q .; do sleep 0.02; done
kill -TERM $!
wait $! || echo $?
ls aside
