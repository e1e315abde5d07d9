# SPDX-License-Identifier: Apache-2.0
# The target `reference`: pages made of the public headers, in reference/index.html of the build.
find_program(DOXYGEN doxygen)
configure_file(${CMAKE_CURRENT_LIST_DIR}/Doxyfile.in ${CMAKE_BINARY_DIR}/reference/Doxyfile @ONLY)
if(DOXYGEN)
  add_custom_target(reference COMMAND ${DOXYGEN} ${CMAKE_BINARY_DIR}/reference/Doxyfile
    COMMAND ${CMAKE_COMMAND} -E echo "The reference: ${CMAKE_BINARY_DIR}/reference/index.html" VERBATIM)
else()
  add_custom_target(reference COMMAND ${CMAKE_COMMAND} -E echo "There is no doxygen; on Debian it is in a package of that name"
    COMMAND ${CMAKE_COMMAND} -E false VERBATIM)
endif()
