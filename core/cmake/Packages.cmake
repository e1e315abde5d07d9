# SPDX-License-Identifier: Apache-2.0
# Debian packages: cmake --workflow --preset package makes them, in build/package. What is in which is said where it is
# installed, by its component; the files that only packages have are in core/cmake/debian.
option(PADDOCK_PACKAGE "Build what goes into Debian packages" OFF)
if(NOT PADDOCK_PACKAGE)
  return()
endif()

# Everything made of these sources is dated by their last change, so that the same sources make the same packages.
set(date $ENV{SOURCE_DATE_EPOCH})
if(NOT date)
  execute_process(COMMAND git log -1 --format=%ct WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE date
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT date)
  file(TIMESTAMP ${CMAKE_SOURCE_DIR}/CMakeLists.txt date %s UTC)
endif()

set(here ${CMAKE_CURRENT_LIST_DIR}/debian)
set(made ${CMAKE_BINARY_DIR}/debian)
set(maintainer "Paddock maintainers <maintainers@paddock.example>")
set(release 1)
set(version ${PROJECT_VERSION}-${release})
set(ENV{SOURCE_DATE_EPOCH} ${date})
string(TIMESTAMP debian_date "%a, %d %b %Y %H:%M:%S +0000" UTC)

# ---- what packages alone have
configure_file(${CMAKE_SOURCE_DIR}/core/cli/systemd/paddock.service ${made}/paddock.service @ONLY)
configure_file(${here}/changelog ${made}/changelog @ONLY)
get_property(libraries GLOBAL PROPERTY PDK_LIBRARIES)
list(TRANSFORM libraries REPLACE "(.+)" "lib\\1 0 libpaddock0 (>= ${PROJECT_VERSION})\n")
string(CONCAT shlibs ${libraries})
file(WRITE ${made}/shlibs "${shlibs}")
install(FILES ${made}/paddock.service DESTINATION lib/systemd/system COMPONENT paddock)
install(FILES ${here}/paddock.yaml DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/paddock COMPONENT paddock)
set(examples ${CMAKE_SOURCE_DIR}/examples)
install(FILES ${examples}/quickstart.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT paddock)
install(DIRECTORY ${examples}/policies ${examples}/webstack DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT paddock)
install(DIRECTORY ${examples}/embed_router ${examples}/embed_supervisor ${examples}/runner_minimal
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/paddock-dev/examples COMPONENT paddock-dev
        PATTERN CMakeLists.txt EXCLUDE PATTERN expected.txt EXCLUDE)

# ---- all of them
set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_COMPONENTS_ALL paddock libpaddock0 paddock-dev)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_CONTACT ${maintainer})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # it would become the first line of all
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${maintainer})
set(CPACK_DEBIAN_PACKAGE_RELEASE ${release})
set(CPACK_DEBIAN_PACKAGE_SOURCE paddock)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PROJECT_CONFIG_FILE ${made}/date.cmake)
file(WRITE ${made}/date.cmake "set(ENV{SOURCE_DATE_EPOCH} ${date})\n")
set(CPACK_PRE_BUILD_SCRIPTS ${here}/stage.cmake)

# ---- each of them
# pdk_package(NAME SUMMARY text DESCRIPTION text [SECTION s] [DEPENDS ...] [RECOMMENDS ...] [SUGGESTS ...] [ENHANCES ...] [CONTROL files...])
function(pdk_package name)
  cmake_parse_arguments(arg "" "SUMMARY;DESCRIPTION;SECTION" "DEPENDS;RECOMMENDS;SUGGESTS;ENHANCES;CONTROL" ${ARGN})
  string(TOUPPER ${name} key)
  set(key CPACK_DEBIAN_${key})
  set(${key}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(${key}_DESCRIPTION "${arg_SUMMARY}\n${arg_DESCRIPTION}" PARENT_SCOPE)
  if(arg_SECTION)
    set(${key}_PACKAGE_SECTION ${arg_SECTION} PARENT_SCOPE)
  endif()
  foreach(relation DEPENDS RECOMMENDS SUGGESTS ENHANCES)
    string(REPLACE ";" ", " list "${arg_${relation}}")
    set(${key}_PACKAGE_${relation} "${list}" PARENT_SCOPE)
  endforeach()
  set(${key}_PACKAGE_CONTROL_EXTRA "${arg_CONTROL}" PARENT_SCOPE)
endfunction()

pdk_package(paddock
  SUMMARY "task supervisor with runners loaded as shared objects"
  DESCRIPTION "Paddock starts the tasks of a YAML file, restarts those that fail as the
file says, ends with the outcome of each, and leaves no process behind.
Runners are plugins, and which of them takes a task is decided by its kind
and by labels.
.
This package has the program, its manual and a systemd unit."
  DEPENDS "paddock-plugins-base (= ${version})"
  RECOMMENDS "paddock-plugins-console (= ${version})"
  SUGGESTS "paddock-plugins-prometheus (= ${version})" "paddock-dev (= ${version})"
  CONTROL ${here}/conffiles ${here}/postinst ${here}/prerm ${here}/postrm)
pdk_package(libpaddock0 SECTION libs
  SUMMARY "task supervisor, as a library"
  DESCRIPTION "The router, which needs no loop, threads or signals, and the whole
supervisor, which lives in an event loop of the program it is part of.
.
This package has the shared libraries."
  RECOMMENDS "paddock-plugins-base (= ${version})"
  CONTROL ${here}/triggers ${made}/shlibs)
pdk_package(paddock-dev SECTION libdevel
  SUMMARY "headers and archives of the task supervisor Paddock"
  DESCRIPTION "For plugins, which need the headers alone, and for programs that embed the
router or the supervisor. It comes with what pkg-config and CMake ask for."
  DEPENDS "libpaddock0 (= ${version})" libjansson-dev libbsd-dev libev-dev
  SUGGESTS "paddock (= ${version})" pkg-config)

get_property(groups GLOBAL PROPERTY PDK_PLUGIN_PACKAGES)
list(REMOVE_DUPLICATES groups)
foreach(group IN LISTS groups)
  get_property(plugins GLOBAL PROPERTY PDK_PLUGINS_OF_${group})
  list(SORT plugins)
  list(JOIN plugins ", " plugins)
  list(APPEND CPACK_COMPONENTS_ALL paddock-plugins-${group})
  if(group STREQUAL "base") # paddock depends on those, so they cannot depend on it
    set(relation ENHANCES paddock libpaddock0)
  else()
    set(relation DEPENDS "paddock (= ${version}) | libpaddock0 (= ${version})")
  endif()
  pdk_package(paddock-plugins-${group} ${relation}
    SUMMARY "plugins of the task supervisor Paddock: ${group}"
    DESCRIPTION "Plugins are loaded by paddock, and by programs that embed libpaddock.
.
This package has: ${plugins}.")
endforeach()

include(CPack)
