# SPDX-License-Identifier: Apache-2.0
# A bad file is refused with its line and the nearest key.
printf 'epochs: 3\nmetod: bbn\n' >file.yaml
ballast train --config file.yaml --print-config
