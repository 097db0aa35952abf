# SPDX-License-Identifier: Apache-2.0
# No run, and a run whose data are others.
status() { "$@" >out || echo $?; }
status ballast train --resume nowhere
mkdir tiny other
tiny_set tiny 10 1
tiny_set other 11 1
ballast train --data tiny --model resnet20 --epochs 1 --batch 50 \
    --backend ref --quiet --out run >out
status ballast train --resume run --data other
