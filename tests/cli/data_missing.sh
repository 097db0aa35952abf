# SPDX-License-Identifier: Apache-2.0
# Says how to get the set and where it was looked for.
status() { "$@" || echo $?; }
BALLAST_DATA=/first:/second
export BALLAST_DATA
status ballast inspect cifar10 --data-dir /zeroth
status ballast inspect ./cifar10
status ballast inspect fashonmnist
status ballast eval nothing --data cifar10
