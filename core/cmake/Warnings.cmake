# SPDX-License-Identifier: Apache-2.0
# One interface target that everything of ours is compiled with.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(pdk_flags INTERFACE)
target_compile_definitions(pdk_flags INTERFACE _GNU_SOURCE)
target_compile_options(pdk_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith
  -Wcast-qual -Wformat=2 -Wimplicit-fallthrough -Wundef -Wvla -Wwrite-strings -fno-common
  # clang finds fault with the macros of <sys/queue.h>, and with assert(!"why").
  $<$<C_COMPILER_ID:Clang>:-Wno-gnu-statement-expression> $<$<C_COMPILER_ID:Clang>:-Wno-string-conversion>)
if(PADDOCK_WERROR)
  target_compile_options(pdk_flags INTERFACE -Werror)
endif()
if(PADDOCK_SANITIZE)
  target_compile_options(pdk_flags INTERFACE -fsanitize=${PADDOCK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  # gcc cannot see through the instrumentation and guesses wrong.
  target_compile_options(pdk_flags INTERFACE $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(pdk_flags INTERFACE -fsanitize=${PADDOCK_SANITIZE})
  target_compile_definitions(pdk_flags INTERFACE PDK_SANITIZED=1)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT PADDOCK_SANITIZE)
  target_compile_options(pdk_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2> -fstack-protector-strong)
endif()
