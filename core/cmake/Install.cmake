# SPDX-License-Identifier: Apache-2.0
# Beside the libraries: what plugin authors need, which is headers alone, and how everyone finds all of it, in a tree
# that is installed as well as in this one.
include(CMakePackageConfigHelpers)

add_library(paddock-plugin INTERFACE)
target_include_directories(paddock-plugin INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
                                                    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(TARGETS paddock-plugin EXPORT paddock-targets)
install(EXPORT paddock-targets NAMESPACE paddock:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/paddock)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/paddock-config.cmake.in ${CMAKE_BINARY_DIR}/install/paddock-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/paddock PATH_VARS PADDOCK_PLUGIN_DIR CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/paddock-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/install/paddock-config.cmake ${CMAKE_BINARY_DIR}/paddock-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/paddock)

file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/lib/paddock-plugin.pc @ONLY CONTENT [[
prefix=@PADDOCK_PC_PREFIX@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@
plugindir=${prefix}/@PADDOCK_PLUGIN_DIR@
program=${prefix}/@CMAKE_INSTALL_BINDIR@/paddock
map=${prefix}/@CMAKE_INSTALL_DATADIR@/paddock/plugin.map

Name: paddock-plugin
Description: What a plugin of Paddock is compiled with; it links nothing
Version: @PROJECT_VERSION@
Cflags: -I${includedir}
]])
install(FILES ${CMAKE_BINARY_DIR}/lib/paddock-plugin.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_SOURCE_DIR}/plugins/plugin.map DESTINATION ${CMAKE_INSTALL_DATADIR}/paddock)

# This tree, for those who do not install: CMAKE_PREFIX_PATH=BUILD for find_package, PKG_CONFIG_PATH=BUILD/lib for
# pkg-config, which takes NAME-uninstalled.pc first.
export(EXPORT paddock-targets NAMESPACE paddock:: FILE ${CMAKE_BINARY_DIR}/paddock-targets.cmake)
file(WRITE ${CMAKE_BINARY_DIR}/paddock-config.cmake "include(\${CMAKE_CURRENT_LIST_DIR}/paddock-targets.cmake)
set(paddock_PLUGIN_DIR ${CMAKE_BINARY_DIR}/lib/paddock/plugins)
set(paddock_PROGRAM ${CMAKE_BINARY_DIR}/bin/paddock)
")
file(GLOB installed ${CMAKE_BINARY_DIR}/lib/*.pc)
list(FILTER installed EXCLUDE REGEX "-uninstalled")
foreach(file IN LISTS installed)
  file(READ ${file} text)
  foreach(place "includedir=${CMAKE_SOURCE_DIR}/include" "libdir=${CMAKE_BINARY_DIR}/lib" "program=${CMAKE_BINARY_DIR}/bin/paddock"
                "plugindir=${CMAKE_BINARY_DIR}/lib/paddock/plugins" "map=${CMAKE_SOURCE_DIR}/plugins/plugin.map")
    string(REGEX MATCH "^[a-z]+=" name ${place})
    string(REGEX REPLACE "\n${name}[^\n]*" "\n${place}" text "${text}")
  endforeach()
  string(REPLACE ".pc" "-uninstalled.pc" file ${file})
  file(WRITE ${file} "${text}")
endforeach()
