# SPDX-License-Identifier: Apache-2.0
# Every target is compiled under these; ./do check makes them errors.
option(BALLAST_WERROR "Treat warnings as errors" OFF)

add_library(ballast_warnings INTERFACE)
target_compile_options(ballast_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Wundef -Wdouble-promotion -Wcast-qual
  -Wwrite-strings $<$<BOOL:${BALLAST_WERROR}>:-Werror>)
