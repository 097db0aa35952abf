# SPDX-License-Identifier: Apache-2.0
# Images that no machine can hold are refused before they are made.
ballast bench step --batch 1000000 --size 99999x99999x16
