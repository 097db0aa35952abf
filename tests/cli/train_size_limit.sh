# SPDX-License-Identifier: Apache-2.0
# A limit on the size of files is like a full disk: one line says so, and
# nothing half-written is left.
mkdir tiny
tiny_set tiny 10 1
(
    ulimit -f 100
    ballast train --data tiny --model resnet20 --epochs 1 --batch 50 \
        --backend ref --quiet --out run
) || echo $?
ls run
