# SPDX-License-Identifier: Apache-2.0
# Known to bash alone; here it need only be made and name what there is.
ballast completion >script
sh -c 'command -v bash' >bash || exit 0
bash -c '. ./script
COMP_WORDS=(ballast train --sgd.mo) COMP_CWORD=2
_ballast; printf "%s\n" "${COMPREPLY[@]}" >>found
COMP_WORDS=(ballast de) COMP_CWORD=1
_ballast; printf "%s\n" "${COMPREPLY[@]}" >>found'
printf '%s\n' --sgd.momentum describe | cmp - found
