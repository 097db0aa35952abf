# SPDX-License-Identifier: Apache-2.0
# Limits of the shots, and every member that eval --json has of an evaluation.
status() { "$@" || echo $?; }
mkdir tiny
tiny_set tiny 30 3
ballast train --data tiny --model resnet20 --epochs 1 --batch 50 --threads 1 \
    --imbalance 10 --backend ref --quiet --out run >out
for limits in "--many-above 29 --few-below 5" "--many-above 2 --few-below 3" \
    "--many-above=3 --few-below=3" "--few-below 0"; do
    # shellcheck disable=SC2086  # the options are words
    ballast eval run $limits | sed -n 's/ *[0-9.]* %/ E/; 4,7p'
done
ballast train --data tiny --model resnet20 --epochs 1 --batch 50 --threads 1 \
    --imbalance 10 --backend ref --quiet --set many-above=29 \
    --set few-below=5 --out own >out
json_value shot_limits.many_above shot_limits.few_below <own/result.json
ballast eval own | grep -c 'above 29 training'
ballast eval run --many-above 29 --few-below 5 --json >json
json_value shot_limits.many_above shot_limits.few_below reliability \
    reliability.14 confusion confusion.9 worst_class <json
json_value balanced_error nll ece worst_class.name worst_class.error \
    reliability.0.confidence reliability.0.accuracy <json >/dev/null
grep -c '^    \[[0-9, ]*\],*$' json
status ballast eval run --many-above 3 --few-below 5
status ballast inspect tiny --few-below 102
status ballast train --data tiny --epochs 1 --set few-below=102 --out none
ballast inspect tiny --imbalance 10 --many-above 29 --few-below 5 |
    grep '^many'
status ballast eval run --many-above -1
status ballast eval run --few-below x
