# SPDX-License-Identifier: Apache-2.0
# The page in the tree is the one the tables make; write it anew with
# ballast man >man/ballast.1
ballast man | diff -u "$SOURCE/man/ballast.1" -
