# SPDX-License-Identifier: Apache-2.0
# Every key of training is an option with its default; no line is wider than
# a screen.
ballast help train >text
awk 'length > 80' text
for key in data-dir lr sgd.momentum drop-last schedule.milestones; do
    grep -q -- "--$key" text || echo "$key is not there"
done
grep -c '\[0\.9\]' text
head -n 4 text
