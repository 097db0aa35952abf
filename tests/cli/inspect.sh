# SPDX-License-Identifier: Apache-2.0
# A set of ten classes of 20 images, cut to a tail of 20 : 2.
mkdir tiny
tiny_set tiny 20 4
ballast inspect tiny --imbalance 10
