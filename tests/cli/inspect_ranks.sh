# SPDX-License-Identifier: Apache-2.0
# More classes than fit a screen share bars; --all shows each.
mkdir tiny
tiny_set tiny 40 1 60
ballast inspect tiny --imbalance 20 | sed 's/ *$//' | head -n 24
ballast inspect tiny --imbalance 20 --all | grep -c '#'
