#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# folders.sh CMAKE SOURCE CC GENERATOR ONEDNN: what pkg-config says of folders
# that the user gave, below the prefix and elsewhere.  Nothing is built.
set -eu
cmake=$1 source=$2 cc=$3 generator=$4 onednn=$5

dir=$(mktemp -d "${TMPDIR:-/tmp}/ballast-folders.XXXXXX")
trap 'rm -rf "$dir"' EXIT

# said LIBDIR INCLUDEDIR VARIABLE
said() {
    "$cmake" -S "$source" -B "$dir/build" -G "$generator" \
        -DCMAKE_C_COMPILER="$cc" -DBUILD_TESTING=OFF \
        -DBALLAST_ONEDNN="$onednn" -DCMAKE_INSTALL_PREFIX=/opt/ballast \
        -DCMAKE_INSTALL_LIBDIR="$1" -DCMAKE_INSTALL_INCLUDEDIR="$2" \
        > "$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
    # As if it lay where it is to be installed.
    sed "s|\${pcfiledir}|/opt/ballast/$1/pkgconfig|" "$dir/build/ballast.pc" \
        > "$dir/ballast.pc"
    PKG_CONFIG_PATH=$dir pkg-config --variable="$3" ballast | tr -s /
}

wanted() { # FOUND WANTED
    test "$1" = "$2" || { echo "found $1, wanted $2"; exit 1; }
}

wanted "$(said /usr/lib64 /usr/include/b includedir)" /usr/include/b
wanted "$(said /usr/lib64 /usr/include/b libdir)" /usr/lib64
wanted "$(said lib/x include libdir)" \
    /opt/ballast/lib/x/pkgconfig/../../../lib/x
