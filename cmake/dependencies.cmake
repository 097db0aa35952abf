# SPDX-License-Identifier: Apache-2.0
# Libraries that Ballast leans on, gathered in one target.
option(BALLAST_ONEDNN "Build the oneDNN backend" ON)

find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(LibArchive REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(YAJL REQUIRED IMPORTED_TARGET yajl)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

add_library(ballast_deps INTERFACE)
target_link_libraries(ballast_deps INTERFACE
  Threads::Threads ZLIB::ZLIB LibArchive::LibArchive PkgConfig::YAML
  PkgConfig::YAJL PkgConfig::XXHASH m)

if(BALLAST_ONEDNN)
  # Not find_package(dnnl): Debian 12's file asks for OpenCL's headers, which
  # the C interface does not need and its package does not bring.
  find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.h REQUIRED)
  find_library(DNNL_LIBRARY dnnl REQUIRED)
  find_package(OpenMP REQUIRED COMPONENTS C)
  target_include_directories(ballast_deps SYSTEM INTERFACE
                             ${DNNL_INCLUDE_DIR})
  target_link_libraries(ballast_deps INTERFACE ${DNNL_LIBRARY}
                        OpenMP::OpenMP_C)
else()
  # Loops still vectorise as their pragmas say; none runs in parallel.
  target_compile_options(ballast_deps INTERFACE -fopenmp-simd)
endif()
