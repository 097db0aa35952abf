# SPDX-License-Identifier: Apache-2.0
# The line of progress fits the terminal it stands on, wherever standard
# output goes, and says the time left before it leaves out a number.  Needs a
# program that makes terminals, and a system that lets it.
script -qec true log </dev/null >found 2>&1 || {
    echo "skipped: no terminal can be made here (program script)"
    exit 77
}
mkdir tiny
tiny_set tiny 20 2
unset COLUMNS
TERM=xterm SHELL=/bin/sh
export TERM SHELL
for columns in 30 60; do
    script -qec "stty cols $columns; ballast train --data tiny \
        --model resnet20 --epochs 12 --batch 16 --threads 1 --holdout 0.2 \
        --overwrite --out run >out" log </dev/null >screen
    tr '\r' '\n' <screen | sed "s/$(printf '\033')\[K//" |
        grep '^epoch' >lines
    awk -v columns=$columns 'length >= columns' lines
    awk '/validation/ && !/%$/' lines
done
grep -q ' left$' lines || echo "no time left"
