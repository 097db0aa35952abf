#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_lint.sh LINT: the checks find what they are for, and only that.
set -eu
lint=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/ballast-lint.XXXXXX")
trap 'rm -rf "$dir"' EXIT
spdx='/* SPDX-License-Identifier: Apache-2.0 */'

# expect WANTED FILE: stdin is the file's text; WANTED "" means clean.
expect()
{
    rm -rf "$dir/root"
    mkdir -p "$dir/root/$(dirname "$2")"
    cat > "$dir/root/$2"
    said=$(sh "$lint" "$dir/root" || :)
    case $1 in
    '') test -z "$said" && return ;;
    *) case $said in *"$1"*) return ;; esac ;;
    esac
    echo "lint of $2: wanted '$1', found '$said'"
    exit 1
}

printf '%s\n%s\n' "$spdx" 'int bl_x(void);' | expect '' src/core/a.c
echo 'int bl_x(void);' | expect 'SPDX' src/core/a.c
printf '%s\n%s\n' "$spdx" '    printf("x");' | expect 'printf()' src/nn/a.c
printf '%s\n%s\n' "$spdx" '    bl_text_printf(t, "printf(");' |
    expect '' src/nn/a.c
printf '%s\n%s\n' "$spdx" '/* printf("x") */' | expect '' src/nn/a.c
printf '%s\n%s\n' "$spdx" '    f = malloc(3);' | expect 'malloc()' src/nn/a.c
printf '%s\n%s\n' "$spdx" '    f = malloc(3);' | expect '' src/core/mem.c
printf '%s\n%s\n' "$spdx" '    dev->free(f);' | expect '' src/nn/a.c
printf '%s\n%s\n' "$spdx" '// TO''DO later' | expect 'unfinished' cli/a.c
printf '%s\n%s\n' "$spdx" '#include "train/run.h"' |
    expect 'may not include' src/core/a.c
printf '%s\n%s\n' "$spdx" '#include "core/mem.h"' | expect '' src/train/a.c
printf '%s\n%s\n' "$spdx" '#include "core/mem.h"' |
    expect 'public headers only' cli/a.c
printf '%s\n%s\n' "$spdx" '#include <oneapi/dnnl/dnnl.h>' |
    expect 'vendor' src/nn/a.c
printf '%s\n%082d\n' "$spdx" 0 | expect '82 columns' include/ballast/a.h
printf '%s\n/* clang-format off */\n%082d\n/* clang-format on */\n' "$spdx" 0 |
    expect '' src/core/a.c
{
    printf '%s\nvoid f(void)\n{\n' "$spdx"
    i=0
    while [ $i -lt 71 ]; do echo '    g();'; i=$((i + 1)); done
    echo '}'
} | expect 'a function of 71 lines' src/core/a.c
awk -v s="$spdx" 'BEGIN { print s; for (i = 2; i < 802; i++) print "int;" }' |
    expect '800 lines' src/core/a.c
echo "lint finds what it should"
