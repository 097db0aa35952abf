# SPDX-License-Identifier: Apache-2.0
# A damaged result is made again once it is removed; what is left of a run
# without its run.yaml is told, and no way is named that does not lead on.
mkdir tiny
tiny_set tiny 20 2
echo 'base: {data: tiny, model: resnet20, epochs: 1, batch: 64}
grid: {method: [ce]}' >own.yaml
set -- own.yaml --out dir --threads 1 --quiet --csv
ballast study "$@" >whole
run=$(echo dir/cells/*)
echo '{"test_error_last": 0.' >"$run/result.json"
ballast study "$@" >out || echo $?
rm "$run/result.json"
ballast study "$@" | cmp - whole
rm "$run/run.yaml"
ballast study "$@" >out || echo $?
ballast train --data tiny --quiet --out "$run" || echo $?
