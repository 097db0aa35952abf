# SPDX-License-Identifier: Apache-2.0
# A case is one script: tests/cli/<what>.sh makes the CTest cli.<what>; what
# it must print and return lies beside it (see run.sh).
set(cli_dir ${CMAKE_CURRENT_LIST_DIR})
set(cli_tools ${CMAKE_CURRENT_BINARY_DIR}/cli-tools)
foreach(tool tiny_set json_value)
  add_executable(${tool} ${cli_dir}/${tool}.c)
  set_target_properties(${tool} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${cli_tools})
  target_link_libraries(${tool} PRIVATE ballast_warnings)
endforeach()
target_link_libraries(json_value PRIVATE PkgConfig::YAJL)

file(GLOB cli_cases CONFIGURE_DEPENDS ${cli_dir}/*.sh)
list(REMOVE_ITEM cli_cases ${cli_dir}/run.sh)
foreach(script ${cli_cases})
  get_filename_component(what ${script} NAME_WE)
  add_test(NAME cli.${what}
           COMMAND sh ${cli_dir}/run.sh ${PROJECT_SOURCE_DIR}
                   $<TARGET_FILE:ballast_cli> ${cli_tools} ${script})
  set_tests_properties(cli.${what} PROPERTIES
    TIMEOUT ${BALLAST_TEST_SECONDS} SKIP_RETURN_CODE 77)
endforeach()
