# SPDX-License-Identifier: Apache-2.0
# The libraries that others link, each made of the layers below it: two for embedders, one for tests of plugins.
#
# pdk_library(NAME MAP file DESCRIPTION text LAYERS ... REQUIRES pkg-config names... PRIVATE static linker flags... LIBRARIES external targets...)
# gives NAME (shared, exporting what MAP says), NAME-static (an archive of the same) and NAME.pc. Installed they are
# paddock::NAME and paddock::NAME-static.
function(pdk_library name)
  cmake_parse_arguments(arg "" "MAP;DESCRIPTION" "LAYERS;REQUIRES;PRIVATE;LIBRARIES" ${ARGN})
  foreach(layer IN LISTS arg_LAYERS)
    get_target_property(type pdk_${layer} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      list(APPEND objects $<TARGET_OBJECTS:pdk_${layer}>)
    endif()
  endforeach()

  add_library(${name} SHARED ${objects})
  target_link_options(${name} PRIVATE -Wl,--version-script=${arg_MAP} -Wl,--no-undefined-version)
  if(NOT PADDOCK_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
  set_target_properties(${name} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0 LINK_DEPENDS ${arg_MAP})

  add_library(${name}-static STATIC ${objects})
  set_target_properties(${name}-static PROPERTIES OUTPUT_NAME ${name})

  target_link_libraries(${name} PRIVATE pdk_flags ${arg_LIBRARIES})
  # Who links the archive links what it needs; by name, so that nothing of ours has to be found for it.
  pkg_check_modules(PC_${name} REQUIRED QUIET ${arg_REQUIRES})
  target_link_libraries(${name}-static INTERFACE ${PC_${name}_LIBRARIES} ${arg_PRIVATE})
  foreach(target ${name} ${name}-static)
    target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
                                                $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  endforeach()
  install(TARGETS ${name} EXPORT paddock-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libpaddock0
    NAMELINK_COMPONENT paddock-dev)
  install(TARGETS ${name}-static EXPORT paddock-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

  set_property(GLOBAL APPEND PROPERTY PDK_LIBRARIES ${name})

  list(JOIN arg_REQUIRES " " requires)
  list(JOIN arg_PRIVATE " " libs_private)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/lib/${name}.pc @ONLY CONTENT [[
prefix=@PADDOCK_PC_PREFIX@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@

Name: @name@
Description: @arg_DESCRIPTION@
Version: @PROJECT_VERSION@
Requires.private: @requires@
Cflags: -I${includedir}
Libs: -L${libdir} -l@name@
Libs.private: @libs_private@
]])
  install(FILES ${CMAKE_BINARY_DIR}/lib/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/paddock DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

pdk_library(paddock-router
  MAP ${CMAKE_SOURCE_DIR}/core/plugin/paddock-router.map
  DESCRIPTION "Routes tasks to the runner that takes them, and loads runners"
  LAYERS base value spec router plugin
  REQUIRES jansson libbsd
  PRIVATE -ldl
  LIBRARIES PkgConfig::JANSSON PkgConfig::BSD ${CMAKE_DL_LIBS})

pdk_library(paddock
  MAP ${CMAKE_SOURCE_DIR}/core/supervise/paddock.map
  DESCRIPTION "The task supervisor as a library"
  LAYERS base value wire spec router plugin loop process supervise isolate
  REQUIRES jansson libbsd
  PRIVATE -lev -lm -ldl -lpthread
  LIBRARIES PkgConfig::JANSSON PkgConfig::BSD ${EV_LIBRARY} m ${CMAKE_DL_LIBS} Threads::Threads)

pdk_library(paddock-testhost
  MAP ${CMAKE_SOURCE_DIR}/core/testhost/paddock-testhost.map
  DESCRIPTION "A host for testing a plugin without a daemon"
  LAYERS base value spec router plugin loop process testhost
  REQUIRES jansson libbsd-overlay
  PRIVATE -lev -lm -ldl -lpthread
  LIBRARIES PkgConfig::JANSSON PkgConfig::BSD ${EV_LIBRARY} m ${CMAKE_DL_LIBS} Threads::Threads)
