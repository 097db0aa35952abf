# SPDX-License-Identifier: Apache-2.0
# cmake --install: headers, shared library, command, man pages, and the files
# by which pkg-config and CMake find them.
include(CMakePackageConfigHelpers)

install(DIRECTORY include/ballast DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(TARGETS ballast EXPORT ballast-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})

if(TARGET ballast_cli)
  # The command finds its library wherever the prefix is moved to.
  file(RELATIVE_PATH from_bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR}
       ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(ballast_cli PROPERTIES
                        INSTALL_RPATH "$ORIGIN/${from_bin_to_lib}")
  install(TARGETS ballast_cli DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

file(GLOB man_pages CONFIGURE_DEPENDS man/*.1)
install(FILES ${man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES README.md LICENSE CHANGELOG.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})

file(RELATIVE_PATH from_pc_to_prefix
     ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
foreach(dir LIBDIR INCLUDEDIR) # relative ones move with the prefix
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
    set(pc_${dir} "${CMAKE_INSTALL_${dir}}")
  else()
    set(pc_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
  endif()
endforeach()
configure_file(cmake/ballast.pc.in ballast.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/ballast.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Ballast)
install(EXPORT ballast-targets NAMESPACE Ballast:: FILE BallastTargets.cmake
        DESTINATION ${package_dir})
configure_package_config_file(cmake/BallastConfig.cmake.in
  ${PROJECT_BINARY_DIR}/BallastConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/BallastConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/BallastConfig.cmake
              ${PROJECT_BINARY_DIR}/BallastConfigVersion.cmake
        DESTINATION ${package_dir})
