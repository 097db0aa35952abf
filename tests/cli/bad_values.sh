# SPDX-License-Identifier: Apache-2.0
# What is refused before anything is opened: exit status 2, one line each.
status() { "$@" || echo $?; }
status ballast train --lr fast
status ballast train --lr=-0.1
status ballast train --epochs 2.5
status ballast train --profile flat
status ballast train --drop-last=perhaps
status ballast train --epochs
status ballast train --set epochs
status ballast train --config nowhere.yaml
status ballast train --method bnn --data d --out r
status ballast train --out r
status ballast train --data d
status ballast train more
status ballast train --resume r --lr 1
status ballast train --resume r --out r
status ballast eval
status ballast inspect
status ballast inspect a b
status ballast bench leap
status ballast bench step --size 32x32
status ballast bench step --backend reff
status ballast train --backend wolverine --data d --out r
status ballast eval r --backend wolverine
status ballast describe method
status ballast train --resume r --overwrite
status ballast train --out --quiet
status ballast train --data=--d
