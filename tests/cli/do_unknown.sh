# SPDX-License-Identifier: Apache-2.0
# A wrong call of ./do is told from a step that failed.
"$SOURCE/do" leap
