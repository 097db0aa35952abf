# SPDX-License-Identifier: Apache-2.0
# No epoch had the classifier that NCM ends with, so there is no best error.
mkdir tiny
tiny_set tiny 20 2
ballast train --data tiny --method ncm --model resnet20 --epochs 1 \
    --batch 64 --quiet --threads 1 --out run | grep '^all' |
    sed 's/[0-9.]* %/E/'
grep test_error_best run/result.json
