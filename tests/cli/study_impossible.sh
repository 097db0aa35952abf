# SPDX-License-Identifier: Apache-2.0
# A cell that cannot be trained is found before those in front of it are.
try() { "$@" || echo $?; }
mkdir tiny four
tiny_set tiny 20 2
tiny_set four 20 2 4
study() { ballast study own.yaml --out dir --threads 1; }
base='model: resnet20, epochs: 1, batch: 64'
echo "base: {data: tiny, $base}
grid: {backend: [ref, abacus]}" >own.yaml
try study
echo "base: {data: tiny, $base, drop-last: true}
grid: {data: [tiny, four], batch: [64, 128]}" >own.yaml
try study
echo "base: {data: tiny, $base}
variants: {w: {none: {lr: 0.1}, file: {init.weights: ./none.safetensors}}}
grid: {w: [none, file]}" >own.yaml
try study
ballast train --data tiny --model resnet32 --epochs 1 --batch 64 --threads 1 \
    --quiet --out run >report
sed 's/none.safetensors/run\/last.safetensors/' own.yaml >t
mv t own.yaml
try study
sed 's/lr: 0.1/model: resnet32, &/; s/last/resume/' own.yaml >t
mv t own.yaml
try study
echo "base: {data: tiny, $base}
grid: {method: [ce]}
then:
  base: {method: retrain}
  grid: {stage2.head: [fresh, keep], data: [four]}" >own.yaml
try study
[ -d dir ] || echo nothing was begun
