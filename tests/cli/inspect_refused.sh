# SPDX-License-Identifier: Apache-2.0
# A tail that a set is too small for is refused under the name of the set.
mkdir tiny
tiny_set tiny 7 1
try() { "$@" || echo $?; }
try ballast inspect tiny --imbalance 10
try ballast train --data tiny --imbalance 10 --out run
try ballast train --data tiny --imbalance 7 --holdout 0.1 --out run
