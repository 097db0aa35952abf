# SPDX-License-Identifier: Apache-2.0
# The commit that is built, for run.yaml, as configuration finds it: "-dirty"
# with changes that are in none.  Outside a checkout there is none.
find_package(Git QUIET)
if(Git_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --tags --always --dirty
                  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} ERROR_QUIET
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --git-path logs/HEAD
                  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} ERROR_QUIET
                  OUTPUT_VARIABLE log OUTPUT_STRIP_TRAILING_WHITESPACE)
  get_filename_component(log "${log}" ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
  if(commit AND EXISTS "${log}" AND NOT IS_DIRECTORY "${log}")
    # Looked for again after each commit.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${log}")
  endif()
endif()
if(commit)
  set_source_files_properties(src/train/run_yaml.c PROPERTIES
                              COMPILE_DEFINITIONS "BL_COMMIT=\"${commit}\"")
endif()
