# SPDX-License-Identifier: Apache-2.0
# A locale of UTF-8 draws with eighths of a block; nothing to see without one.
mkdir tiny
tiny_set tiny 20 1 2
LC_ALL=C.UTF-8
charset=$(locale charmap 2>errors) || charset=
if [ "$charset" != UTF-8 ]; then
    exec printf "\342\226\210\342\226\216\n"
fi
ballast inspect tiny --imbalance 19 --data-dir . >chart
COLUMNS=40 ballast inspect tiny --imbalance 19 | sed -n '4s/.* //p'
