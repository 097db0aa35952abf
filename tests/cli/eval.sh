# SPDX-License-Identifier: Apache-2.0
# Logits for NumPy, the table, and weights that do not fit the data.
mkdir tiny other
tiny_set tiny 30 3
tiny_set other 30 1 7
ballast train --data tiny --model resnet20 --epochs 1 --batch 50 --threads 1 \
    --backend ref --quiet --out run >out
ballast eval run --best --logits z.npy | \
    sed 's/ *[0-9.]* %/ E/g; s/ E  *[0-9.]*  *[0-9.]*$/ E/; s/(.*)/(X)/'
wc -c <z.npy | tr -d ' '
head -c 6 z.npy | tail -c 5; echo
ballast eval run/last.safetensors || echo $?
ballast eval run --data other || echo $?
