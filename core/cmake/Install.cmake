# SPDX-License-Identifier: Apache-2.0
# Beside the libraries: what plugin authors need, which is headers alone, and a CMake package for everyone.
include(CMakePackageConfigHelpers)

add_library(paddock-plugin INTERFACE)
target_include_directories(paddock-plugin INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(TARGETS paddock-plugin EXPORT paddock-targets)
install(EXPORT paddock-targets NAMESPACE paddock:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/paddock)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/paddock-config.cmake.in ${CMAKE_BINARY_DIR}/paddock-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/paddock PATH_VARS PADDOCK_PLUGIN_DIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/paddock-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/paddock-config.cmake ${CMAKE_BINARY_DIR}/paddock-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/paddock)

file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/lib/paddock-plugin.pc @ONLY CONTENT [[
prefix=@CMAKE_INSTALL_PREFIX@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@
plugindir=${prefix}/@PADDOCK_PLUGIN_DIR@

Name: paddock-plugin
Description: What a plugin of Paddock is compiled with; it links nothing
Version: @PROJECT_VERSION@
Cflags: -I${includedir}
]])
install(FILES ${CMAKE_BINARY_DIR}/lib/paddock-plugin.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
