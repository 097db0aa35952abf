# SPDX-License-Identifier: Apache-2.0
# The overview, and one command's help in its three forms.
ballast --help
ballast help list >a
ballast list --help >b
ballast list -h >c
cmp a b
cmp a c
cat a
