# SPDX-License-Identifier: Apache-2.0
# Every entry of every kind can be described, in lines and as JSON.
ballast describe method bbn
ballast describe profiles step --json | json_value kind name \
    counts_of_10_classes_F_100.0 counts_of_10_classes_F_100.9
for kind in methods models data losses samplers mixes schedules adaptors \
    profiles backends; do
    ballast list $kind | while read -r name rest; do
        ballast describe $kind "$name" >text
        ballast describe $kind "$name" --json | json_value name >found
        echo "$name" | cmp - found
    done
done
ballast describe method ce-drw --json | json_value weights >found
echo "w_c = (1 - beta) / (1 - beta^n_c), scaled to mean 1, after epoch 160 of 200; the loss is divided by sum of w_{y_i} over the batch" |
    cmp - found
ballast describe method crt --json | json_value stage2_sampler >/dev/null
