# SPDX-License-Identifier: Apache-2.0
# A run names its data as the call did; elsewhere --data names it anew.
status() { "$@" || echo $?; }
mkdir tiny elsewhere
tiny_set tiny 4 2
ballast train --data tiny --model resnet20 --epochs 1 --batch 8 --threads 1 \
    --quiet --out run >out
mv run elsewhere/run
cd elsewhere || exit
status ballast eval run
status ballast train --resume run
status ballast train --config run/run.yaml --out new
ballast eval run --data ../tiny >out
ballast train --resume run --data ../tiny >out
