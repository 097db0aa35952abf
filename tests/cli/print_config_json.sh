# SPDX-License-Identifier: Apache-2.0
# The same as a document, numbers as numbers.
ballast train --method bbn --lr 0.375 --print-config --json >json
json_value lr.value lr.from epochs.value epochs.from drop-last.value \
    drop-last.from profile.value data.value <json
