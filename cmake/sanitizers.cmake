# SPDX-License-Identifier: Apache-2.0
# BALLAST_SANITIZE: a comma-separated list for -fsanitize, on all targets.
# BALLAST_FUZZ: libFuzzer targets as well (clang).
set(BALLAST_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined")
option(BALLAST_FUZZ "Build tests/fuzz as libFuzzer targets" OFF)

# A test that takes longer hangs.
set(BALLAST_TEST_SECONDS 300)
if(BALLAST_SANITIZE)
  set(BALLAST_TEST_SECONDS 1200)
endif()

if(BALLAST_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(BALLAST_SANITIZE)
  set(sanitize -fsanitize=${BALLAST_SANITIZE} -fno-sanitize-recover=all)
  add_compile_options(${sanitize} -fno-omit-frame-pointer)
  add_link_options(${sanitize})
endif()
if(BALLAST_SANITIZE MATCHES "thread")
  # Plain loops of the thread that calls them, too slow to watch each step of.
  file(GLOB loops RELATIVE ${PROJECT_SOURCE_DIR} src/backend/ref/*.c)
  set_source_files_properties(${loops} PROPERTIES
                              COMPILE_OPTIONS -fno-sanitize=thread)
endif()
