# SPDX-License-Identifier: Apache-2.0
# The threads that have worked are told: one where the process may use one
# processor, and one of the reference backend, whatever was asked for.
command -v taskset >which || { echo "no taskset"; exit 77; }
processor=$(taskset -pc $$ | sed 's/.*: *//; s/[,-].*//')
step="ballast bench step --model resnet20 --batch 8 --size 8x8x3 --steps 1 --json"
# shellcheck disable=SC2086  # the options are words
taskset -c "$processor" $step | json_value threads
# shellcheck disable=SC2086  # the options are words
$step --backend ref --threads 3 | json_value threads
