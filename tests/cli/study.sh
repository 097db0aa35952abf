# SPDX-License-Identifier: Apache-2.0
# A grid comes out as a table in four forms; a second start trains nothing,
# for it does not even look for the images.
mkdir tiny
tiny_set tiny 20 4
cat >own.yaml <<'END'
base: {data: tiny, model: resnet20, epochs: 2, batch: 16, precision: fp32}
grid:
  method: [ce, bbn]
  imbalance: [1, 10]
  seed: [0, 1]
END
ballast study own.yaml --out dir --threads 1 2>progress |
    sed -E 's/[0-9.]+ \([0-9.]+\)/E (E)/g; 10q'
grep -c '^cell 3/8  epoch' progress
tail -1 progress | sed 's/: .*//'
for run in dir/cells/*; do echo "${run##*/}"; done | sed 's/-[0-9a-f]*$//'
mv tiny moved
ballast study own.yaml --out dir >again
cmp again dir/table.txt
ballast study own.yaml --out dir --json | cmp - dir/table.json
ballast study own.yaml --out dir --csv | cmp - dir/table.csv
ballast study own.yaml --out dir --markdown | cmp - dir/table.md
json_value study finished entries.3.row entries.3.column.0 entries.3.cells \
    runs.7.state <dir/table.json
head -1 dir/table.csv
# A cell is an ordinary run.
cell=$(json_value runs.0.folder <dir/table.json)
ballast eval "dir/$cell" --data moved --json --threads 1 |
    json_value test_error >a
json_value runs.0.error_last <dir/table.json | cmp - a
