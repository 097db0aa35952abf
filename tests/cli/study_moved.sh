# SPDX-License-Identifier: Apache-2.0
# A second stage that was killed before its first checkpoint goes on where the
# study lies now, in this process and in one of its own.
mkdir tiny
tiny_set tiny 20 2
cat >own.yaml <<'END'
base: {data: tiny, model: resnet20, epochs: 2, batch: 64}
grid: {method: [ce]}
then:
  base: {method: retrain}
  grid: {stage2.sampler: balanced}
END
set -- own.yaml --threads 1 --quiet --csv
ballast study "$@" --out dir >whole
mv dir moved
second=$(echo moved/cells/retrain-*)
cp "$second/run.yaml" "$second/last.safetensors" .
for jobs in 1 2; do
    rm "$second"/*
    cp run.yaml "$second"
    ballast study "$@" --out moved --jobs $jobs >out
    cmp whole out
    cmp last.safetensors "$second/last.safetensors"
done
