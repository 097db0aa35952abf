# SPDX-License-Identifier: Apache-2.0
# Scripts are written whether gnuplot is there or not; what it says is passed
# on, and a picture that failed leaves nothing.
status() { "$@" || echo $?; }
mkdir tiny path
tiny_set tiny 20 4
ballast train --data tiny --imbalance 10 --method bbn --model resnet20 \
    --epochs 2 --batch 16 --quiet --threads 1 --backend ref --out run >out
ln -s "$(command -v ballast)" path/ballast
PATH=$PWD/path status ballast plot run
ls run/plots
cat >path/gnuplot <<'END'
#!/bin/sh
[ "$*" = -d ] || echo "words: $*"
read -r line
echo "picture of $line"
[ ! -e fail ] || { printf '\n  a first line\n line 7: bad\n\n' >&2; exit 3; }
END
chmod +x path/gnuplot
cp "$(command -v sh)" path/sh
PATH=$PWD/path status ballast plot run --out a/b --format png
head -n 3 a/b/curves.png
find a/b -name "*tmp*" | grep . || echo none aside
: >fail
PATH=$PWD/path status ballast plot run --out c
find c -type f ! -name "*.gp" | grep . || echo no pictures
printf '#!/bin/sh\nexit 3\n' >path/gnuplot
PATH=$PWD/path status ballast plot run --out c
printf '#!/bin/sh\nkill -9 $$\n' >path/gnuplot
PATH=$PWD/path status ballast plot run --out c
