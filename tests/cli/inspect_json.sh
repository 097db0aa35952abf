# SPDX-License-Identifier: Apache-2.0
# The whole set has no checksum; numbers of a cut one are known by hand:
# exp 20 : 2 over ten classes, step 5 x 20 and 5 x 2.
mkdir tiny
tiny_set tiny 20 4
ballast inspect tiny --json >whole.json
json_value classes total test_total imbalance_factor shots.many shots.medium \
    shots.few subset_crc32 class_names counts.9 <whole.json
ballast inspect tiny --imbalance 10 --profile step --json >cut.json
json_value total imbalance_factor counts.4 counts.5 subset_crc32 <cut.json
json_value gini entropy effective_number <cut.json |
    awk '{printf "%.4f\n", $1}'
