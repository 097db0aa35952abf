# SPDX-License-Identifier: Apache-2.0
# ./do where there is no apt-get: it names what is missing, oneDNN too, and
# finds the demonstration's data in any folder of BALLAST_DATA.  The tools are
# stand-ins: the compiler knows the headers of its -I alone, and cmake fails, so
# that nothing is built.  No folder of the system holds data.
mkdir bin
for tool in sh cat dirname mktemp rm sed; do
    ln -s "$(command -v $tool)" bin
done
for tool in ninja pkg-config; do
    printf '#!/bin/sh\nexit 0\n' >bin/$tool
done
printf '#!/bin/sh\necho "cmake $*"\nexit 1\n' >bin/cmake
cat >bin/cc <<'END'
#!/bin/sh
for word; do
    test ! -f "${word#-I}/oneapi/dnnl/dnnl.h" || exit 0
done
exit 1
END
sed 's,/usr/,/nowhere/,g' "$SOURCE/do" >./do
chmod +x bin/ninja bin/pkg-config bin/cmake bin/cc ./do
mkdir -p opt/include/oneapi/dnnl 'a set/fashion-mnist'
: >opt/include/oneapi/dnnl/dnnl.h
PATH=$PWD/bin
try() { "$@" || echo $?; }
try ./do build
CMAKE_PREFIX_PATH=$PWD/none:$PWD/opt
export CMAKE_PREFIX_PATH
try ./do build
try ./do demo
BALLAST_DATA="$PWD/none:$PWD/a set:"
export BALLAST_DATA
try ./do demo
