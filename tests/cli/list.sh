# SPDX-License-Identifier: Apache-2.0
ballast list | awk '{print $1}'
ballast list samplers
ballast list method --json >json
json_value 0.name 1.name <json
ballast list --json >json
json_value profiles.1.name samplers data.0.name <json
