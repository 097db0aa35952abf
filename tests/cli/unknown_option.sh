# SPDX-License-Identifier: Apache-2.0
# Own options, keys of training, keys of --set, words far from any.
status() { "$@" || echo $?; }
status ballast train --epoch 3
status ballast train --overwite
status ballast train --sgd.momentun 0.9
status ballast train --set epoch=3
status ballast train --wolverine 3
status ballast train -q
status ballast inspect cifar10 --epochs 3
status ballast help tain
status ballast list sampler --jsn
status ballast describe method bnn
