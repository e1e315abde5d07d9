# SPDX-License-Identifier: Apache-2.0
# Make the completion scripts text of the program.
set(text "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by Embed.cmake from the scripts in core/cli/completion. */\n")
foreach(shell bash zsh fish)
  file(READ ${${shell}} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],)" "\\1\n" bytes "${bytes}")
  string(APPEND text "extern const char pdk_completion_${shell}[];\nconst char pdk_completion_${shell}[] = {\n${bytes}0};\n")
endforeach()
file(WRITE ${output} "${text}")
