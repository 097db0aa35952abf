# SPDX-License-Identifier: Apache-2.0
# Two epochs; the folder holds what is promised, and eval repeats the error.
mkdir tiny
tiny_set tiny 20 4
ballast train --data tiny --imbalance 10 --method bbn --model resnet20 \
    --epochs 2 --batch 16 --seed 3 --precision fp32 --threads 1 --out run
for file in run.yaml metrics.jsonl last.safetensors best.safetensors; do
    [ -s run/$file ] || echo "no $file"
done
grep -c '"train_loss"' run/metrics.jsonl
json_value test_error_last shot.few per_class.3.error <run/result.json >wanted
ballast eval run --json | json_value test_error shot.few per_class.3.error |
    diff wanted -
ballast eval run/last.safetensors --data tiny --imbalance 10 --json \
    --precision fp32 | json_value test_error shot.few per_class.3.error |
    diff wanted -
