# SPDX-License-Identifier: Apache-2.0
# Wrong calls and files end before anything is trained, with one line each.
try() { "$@" || echo $?; }
try ballast study
try ballast study bbn-table1
try ballast study bbn-tabel1 --out dir
try ballast study bbn-table1 --out dir --sead 1
try ballast study bbn-table1 --out dir --seeds 0,x
try ballast study bbn-table1 --out dir --set methd=ce
try ballast study bbn-table1 --out dir --json --csv
try ballast study nowhere.yaml --out dir
echo 'grid: {method: [ce], epocs: [1]}' >bad.yaml
try ballast study bad.yaml --out dir
echo 'grid: {}' >bad.yaml
try ballast study bad.yaml --out dir
echo 'grid: {seed: [0, 1]}' >bad.yaml
try ballast study bad.yaml --out dir
echo 'grid: {method: [ce], few-below: [20, 21]}' >bad.yaml
try ballast study bad.yaml --out dir
echo 'grid: [ce, bbn]' >bad.yaml
try ballast study bad.yaml --out dir
echo 'base: {data: ./none}
grid: {seed: [0, 1]}' >bad.yaml
try ballast study bad.yaml --out dir
# A folder that cannot be is found before the first cell.
mkdir tiny
tiny_set tiny 20 2
try ballast study bad.yaml --set data=tiny --set model=resnet20 --out bad.yaml
# So is a class that has too few images for one of the methods.
echo 'base: {data: tiny, imbalance: 20, model: resnet20}
grid: {method: [ce, tau-norm]}' >bad.yaml
try ballast study bad.yaml --out dir
try ballast study bad.yaml --out dir --set imbalance=30
ls
