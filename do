#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# do: everything between a fresh machine and a trained model, in one place.
# `./do help` lists the commands.  Needs a POSIX shell and nothing else: what
# is missing it installs by apt-get, and says so first.
set -eu
cd "$(dirname "$0")"

# The demonstration: two methods, one short schedule, a few minutes on two cores
# with AVX-512 (README says how many).
DEMO_DATA=fashion-mnist
DEMO_MODEL=resnet20
DEMO_SCHEDULE=cosine
DEMO_IMBALANCE=100
DEMO_EPOCHS=${DEMO_EPOCHS:-4}

# What is needed and what it is for; "a|b" are names of one thing in different
# releases of Debian and Ubuntu.
needs()
{
    cat << 'END'
cmake                      configures the build
ninja-build                runs the build
gcc                        C11 compiler with OpenMP
g++                        checks that the headers are C++ as well
libc6-dev                  C library headers
pkg-config|pkgconf         finds libraries
libdnnl-dev|libonednn-dev  oneDNN: convolutions
libyaml-dev                configuration files
libyajl-dev                JSON
libxxhash-dev              checksums
libarchive-dev             packed data sets
zlib1g-dev                 compressed data sets, CRC-32
libcmocka-dev              tests
END
}

say() { printf '%s\n' "do: $*" >&2; }
fail() { say "$*"; exit 1; }
refuse() { say "$*"; exit 2; } # a wrong call
have() { command -v "$1" > /dev/null 2>&1; }

# ---- system packages ----------------------------------------------------------

installed()
{
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2> /dev/null |
        grep -qx installed
}

installable()
{
    apt-cache policy "$1" 2> /dev/null |
        grep '^  Candidate:' | grep -qv '(none)'
}

# Names of packages that are not installed; further ones in $@.
missing()
{
    {
        needs
        printf '%s\n' "$@"
    } | while read -r names _; do
        test -z "$names" || test -n "$(first "$names" installed)" ||
            echo "$names"
    done
}

# First of "a|b" that passes the test $2; nothing if none does.
first()
{
    for name in $(echo "$1" | tr '|' ' '); do
        if "$2" "$name"; then
            echo "$name"
            return
        fi
    done
}

as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

need_root()
{
    test "$(id -u)" -eq 0 || have sudo ||
        fail "not root, and no sudo: let root run apt-get install $*"
}

# Runs quietly; shows what was said only if it failed.
quietly()
{
    log=$(mktemp "${TMPDIR:-/tmp}/ballast-do.XXXXXX")
    code=0
    "$@" > "$log" 2>&1 || code=$?
    test $code -eq 0 || cat "$log" >&2
    rm -f "$log"
    return $code
}

apt_update_once()
{
    test -z "${apt_is_fresh:-}" || return 0
    need_root "$@"
    say "apt-get update"
    quietly as_root apt-get -q update ||
        say "apt-get update failed; going on with the lists that are there"
    apt_is_fresh=yes
}

apt_install()
{
    need_root "$@"
    say "apt-get install $*"
    quietly as_root apt-get -q -y -o Dpkg::Use-Pty=0 \
        -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" ||
        fail "apt-get could not install: $*"
}

setup_by_apt()
{
    absent=$(missing "$@")
    test -n "$absent" || return 0
    # Word splitting is meant, here and below: a package a word.
    # shellcheck disable=SC2086
    apt_update_once $absent
    chosen=
    for names in $absent; do
        name=$(first "$names" installable)
        test -n "$name" || fail "no package $names in the lists of apt-get" \
            "(on Ubuntu, is the component 'universe' enabled?)"
        chosen="$chosen $name"
    done
    # shellcheck disable=SC2086
    apt_install $chosen
}

# CMake looks for oneDNN where the compiler does, and in CMAKE_PREFIX_PATH.
has_onednn()
(
    set -f
    IFS=:
    for prefix in ${CMAKE_PREFIX_PATH:-}; do
        set -- "$@" "-I$prefix/include"
    done
    echo '#include <oneapi/dnnl/dnnl.h>' | cc "$@" -E -x c - > /dev/null 2>&1
)

setup_by_hand()
{
    absent=
    for tool in cmake ninja cc pkg-config; do
        have $tool || absent="$absent $tool"
    done
    for library in yaml-0.1 yajl libxxhash libarchive zlib cmocka; do
        pkg-config --exists $library 2> /dev/null ||
            absent="$absent $library"
    done
    ! have cc || has_onednn || absent="$absent oneDNN"
    test -n "$absent" || return 0
    say "this system has no apt-get, and these are missing:$absent"
    say "please install what is called on Debian:"
    needs | sed 's/^/    /' >&2
    say "only oneDNN can be left out, for slow portable kernels:" \
        "cmake --preset release -DBALLAST_ONEDNN=OFF"
    exit 1
}

# setup [PACKAGE...]: what is needed, and these.
setup()
{
    if have apt-get && have dpkg-query; then
        setup_by_apt "$@"
    else
        setup_by_hand
    fi
}

# ---- build ----------------------------------------------------------------------

cores() { getconf _NPROCESSORS_ONLN 2> /dev/null || echo 1; }

# build PRESET [TARGET...]
build()
{
    preset=$1
    shift
    log=$(mktemp "${TMPDIR:-/tmp}/ballast-do.XXXXXX")
    say "configuring and building (preset $preset)"
    cmake --preset "$preset" > "$log" 2>&1 ||
        { cat "$log" >&2; rm -f "$log"; fail "configuration failed"; }
    rm -f "$log"
    # Word splitting is meant: each target is a word.
    # shellcheck disable=SC2086
    cmake --build --preset "$preset" ${1:+--target "$@"} ||
        fail "the build failed"
}

run_tests()
{
    ctest --preset "$1" -j "$(cores)"
}

# ---- demo -------------------------------------------------------------------------

# Whether Fashion-MNIST lies where Ballast looks for it.
has_demo_data()
(
    set -f
    IFS=:
    for folder in ${BALLAST_DATA:-} "${XDG_CACHE_HOME:-$HOME/.cache}/ballast" \
                  /usr/local/share/datasets /usr/share/datasets; do
        test -z "$folder" || test ! -e "$folder/fashion-mnist" || exit 0
    done
    exit 1
)

demo_data()
{
    ! has_demo_data || return 0
    if have apt-get && have dpkg-query; then
        apt_update_once dataset-fashion-mnist
        if installable dataset-fashion-mnist; then
            apt_install dataset-fashion-mnist
            return 0
        fi
    fi
    say "the demonstration trains on Fashion-MNIST, which is not here."
    say "Put the four *-ubyte.gz files of" \
        "https://github.com/zalandoresearch/fashion-mnist"
    say "into a folder fashion-mnist/ and name its parent in BALLAST_DATA."
    exit 1
}

# One value of a pretty-printed result.json: one key a line.
result_value()
{
    sed -n "s/^ *\"$2\": *\"\\{0,1\\}\\([^\",]*\\)\"\\{0,1\\},\\{0,1\\}\$/\\1/p" \
        "$1" 2> /dev/null | head -n 1
}

# Whether there is a run to go on with: it has a checkpoint, perhaps only the
# one before the last (a kill between two renames), and as many epochs to do.
is_unfinished()
{
    test ! -f "$1/result.json" || return 1
    test -f "$1/resume.safetensors" ||
        test -f "$1/resume.previous.safetensors" || return 1
    grep -Fqx "epochs: $DEMO_EPOCHS" "$1/run.yaml"
}

demo_train()
{
    run=runs/demo-$1
    if [ -f "$run/result.json" ] &&
       [ "$(result_value "$run/result.json" epochs)" = "$DEMO_EPOCHS" ]; then
        say "$run is finished, and used again"
    elif is_unfinished "$run"; then
        say "$run is unfinished, and goes on"
        build/ballast train --resume "$run"
    else
        build/ballast train --method "$1" --data $DEMO_DATA \
            --model $DEMO_MODEL --imbalance $DEMO_IMBALANCE \
            --schedule $DEMO_SCHEDULE --epochs "$DEMO_EPOCHS" \
            --out "$run" --overwrite
    fi
}

demo()
{
    setup
    demo_data
    build release ballast_cli
    demo_train ce
    demo_train bbn
    echo
    awk -f tools/compare.awk runs/demo-ce/result.json runs/demo-bbn/result.json
}

# ---- further ------------------------------------------------------------------------

# Everything that has to hold before a change is taken.
check()
{
    setup clang libomp-dev shellcheck
    for preset in gcc clang asan tsan; do
        build $preset
        run_tests "$preset"
    done
    shellcheck ./do .ci/run
    shellcheck -s sh tests/*/*.sh examples/*.sh
    say "all checks passed"
}

# fuzz [SECONDS]: each libFuzzer target for so long.
fuzz()
{
    seconds=${1:-60}
    setup clang
    build fuzz fuzzers
    found=
    for target in build-fuzz/tests/fuzz/fuzz_*; do
        test -f "$target" || continue
        what=${target##*/fuzz_}
        found=yes
        mkdir -p "build-fuzz/corpus/$what"
        seeds=tests/fuzz/corpus/$what
        test -d "$seeds" || seeds=
        say "fuzzing $what for $seconds s"
        # Word splitting is meant: no seeds, no word.
        # shellcheck disable=SC2086
        quietly "$target" -max_total_time="$seconds" -timeout=10 \
            -rss_limit_mb=2048 -artifact_prefix="build-fuzz/$what-" \
            "build-fuzz/corpus/$what" $seeds ||
            fail "$what: a crash, kept in build-fuzz/$what-*"
    done
    test -n "$found" || fail "no fuzz target was built"
    say "no crash"
}

help()
{
    cat << END
usage: ./do COMMAND

  demo    train CE and BBN on long-tailed Fashion-MNIST, compare the errors
  test    build, and run every test
  build   configure and build into build/
  setup   install the system packages that are missing (apt-get)
  check   before a change is taken: gcc and clang without warnings, tests
          under AddressSanitizer, UndefinedBehaviorSanitizer, ThreadSanitizer
  fuzz    [SECONDS]  run each fuzz target for so long (60)
  help    this list

demo and test do all that comes before them.
END
}

command=${1:-help}
test $# -eq 0 || shift
case $command in
demo) demo ;;
test) setup; build release; run_tests release ;;
build) setup; build release ;;
setup) setup ;;
check) check ;;
fuzz) fuzz "$@" ;;
help | -h | --help) help ;;
*) help >&2; refuse "no such command: $command" ;;
esac
