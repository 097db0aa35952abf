#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install.sh CMAKE BUILD CC GENERATOR VERSION: installs into an empty folder,
# then builds and runs a program the two ways a user would: by pkg-config, by
# CMake.
set -eu
cmake=$1 build=$2 cc=$3 generator=$4 version=$5

dir=$(mktemp -d "${TMPDIR:-/tmp}/ballast-install.XXXXXX")
trap 'rm -rf "$dir"' EXIT
prefix=$dir/prefix
"$cmake" --install "$build" --prefix "$prefix" > "$dir/log" ||
    { cat "$dir/log"; exit 1; }

found() { find "$prefix" -name "$1" | head -n 1; }
for file in ballast.h libballast.so "libballast.so.$version" ballast.pc \
            BallastConfig.cmake ballast.1 LICENSE; do
    test -n "$(found "$file")" || { echo "$file is not installed"; exit 1; }
done
lib=$(dirname "$(found libballast.so)")

mkdir "$dir/user"
cat > "$dir/user/user.c" <<'END'
#include <ballast/ballast.h>
#include <stdio.h>
int main(void)
{
    bl_rng rng = bl_rng_at(7, BL_PURPOSE_TEST, 1, 2);
    bl_config *config = NULL;
    if (bl_rng_unit(&rng) >= 1 || bl_train_config(&config) != BL_OK) return 1;
    bl_config_free(config);
    return puts(bl_version()) < 0;
}
END
cat > "$dir/user/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(user LANGUAGES C)
find_package(Ballast 0.1 REQUIRED)
add_executable(user user.c)
target_link_libraries(user PRIVATE Ballast::ballast)
END

PKG_CONFIG_PATH=$lib/pkgconfig
export PKG_CONFIG_PATH
# Word splitting is meant.
# shellcheck disable=SC2046
"$cc" -std=c11 "$dir/user/user.c" -o "$dir/by-pkg-config" \
    $(pkg-config --cflags --libs ballast)
said=$(LD_LIBRARY_PATH=$lib "$dir/by-pkg-config")
test "$said" = "$version" || { echo "pkg-config: version $said"; exit 1; }

{
    "$cmake" -S "$dir/user" -B "$dir/by-cmake" -G "$generator" \
        -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix"
    "$cmake" --build "$dir/by-cmake"
} > "$dir/log" 2>&1 || true
test -x "$dir/by-cmake/user" || { cat "$dir/log"; exit 1; }
said=$("$dir/by-cmake/user")
test "$said" = "$version" || { echo "CMake: version $said"; exit 1; }

# The installed command finds the installed library.
if test -x "$prefix/bin/ballast"; then
    "$prefix/bin/ballast" list methods > "$dir/log" ||
        { cat "$dir/log"; exit 1; }
fi
echo "installed, found by pkg-config and by CMake, ran: $version"
