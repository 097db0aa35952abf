#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the examples: test.sh 01_TRAIN 02_CLASSIFY
set -e
work=$(mktemp -d "${TMPDIR:-/tmp}/ballast-examples.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

"$1" weights.safetensors >trained
cat trained
[ "$(grep -c '^epoch [12]: loss' trained)" = 2 ]

# An image of 8 x 8 whose last quarter is lit, as those of class 3, and one
# that is cut short.
{
    printf 'P6\n8 8\n255\n'
    awk 'BEGIN {
        for (i = 0; i < 192; i++) printf "%c", i < 144 ? "\062" : "z"
    }'
} >last.ppm
head -c 100 last.ppm >short.ppm

"$2" weights.safetensors last.ppm >classified
cat classified
grep '^last.ppm: class 3, p = [01]\.' classified
"$2" weights.safetensors short.ppm 2>said && exit 1
grep 'short.ppm: wanted a P6 image of 8 x 8 pixels' said
"$2" trained last.ppm 2>said && exit 1
grep 'trained' said
