# SPDX-License-Identifier: Apache-2.0
ballast bench step --model resnet20 --method bbn --batch 8 --size 8x8x3 \
    --classes 5 --steps 4 --threads 1 --json >found
json_value model method batch classes size steps threads <found
json_value samples_per_second seconds_per_step mean_seconds_per_step \
    model_gflop_per_sample peak_rss_bytes backend precision <found | grep -c .
ballast bench step --model resnet20 --method ce --batch 8 --size 8x8x1 \
    --steps 30 --backend ref --precision fp32 | awk '{print $1, $2}' | head -3
ballast bench step --model resnet20 --method ce --batch 8 --size 8x8x3 \
    --backend ref --precision fp32 --plan >found
grep -c 'conv' found
tail -1 found | grep -o 'f32 on ref'
