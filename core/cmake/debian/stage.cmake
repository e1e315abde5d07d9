# SPDX-License-Identifier: Apache-2.0
# Run by CPack between installing and packing: what Debian wants of every package.
set(staged ${CPACK_TEMPORARY_DIRECTORY})
set(here ${CMAKE_CURRENT_LIST_DIR})
get_filename_component(made ${CPACK_PROJECT_CONFIG_FILE} DIRECTORY)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

foreach(package IN LISTS CPACK_COMPONENTS_ALL)
  set(doc ${staged}/${package}/usr/share/doc/${package})
  configure_file(${here}/copyright ${doc}/copyright COPYONLY)
  configure_file(${made}/changelog ${doc}/changelog.Debian COPYONLY)
  run(gzip -9nf ${doc}/changelog.Debian)
  set(overrides ${staged}/${package}/usr/share/lintian/overrides/${package})
  configure_file(${here}/lintian-overrides ${overrides} @ONLY)
  if(EXISTS ${here}/${package}.lintian-overrides)
    file(READ ${here}/${package}.lintian-overrides own)
    file(APPEND ${overrides} ${own})
  endif()

  file(GLOB_RECURSE pages ${staged}/${package}/usr/share/man/*.[1-9])
  foreach(page IN LISTS pages)
    run(gzip -9nf ${page})
  endforeach()
  file(GLOB_RECURSE archives ${staged}/${package}/usr/lib/*.a)
  foreach(archive IN LISTS archives)
    run(strip --strip-debug --remove-section=.comment --remove-section=.note --enable-deterministic-archives ${archive})
  endforeach()
endforeach()

run(chmod -R go-w,a+rX ${staged})
run(find ${staged} -exec touch --no-dereference --date=@$ENV{SOURCE_DATE_EPOCH} {} +)
