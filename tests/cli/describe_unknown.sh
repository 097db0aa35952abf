# SPDX-License-Identifier: Apache-2.0
ballast describe metod bbn
