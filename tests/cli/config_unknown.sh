# SPDX-License-Identifier: Apache-2.0
# What a file says and no table knows is refused with its line, what an option
# says with its key alone; so is a run.yaml that was altered.
refused() {
    printf '# a run\n%s\n' "$1" >file.yaml
    shift
    ballast train --config file.yaml --print-config "$@" || echo $?
}
refused 'method: bnb'
refused 'model: resnet33'
refused 'bbn.sampler: reverse'
refused 'backend: reff'
refused 'backend: wolverine'
refused 'few-below: 200'
refused 'lr: -0'
refused 'model: resnet33' --model resnet34
refused 'model: resnet33' --model resnet20 | grep '^model'
mkdir run
printf 'method: ce\nmodel: resnet33\n' >run/run.yaml
ballast train --resume run || echo $?
