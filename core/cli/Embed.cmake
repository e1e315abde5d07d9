# SPDX-License-Identifier: Apache-2.0
# Make files text of the program: a table of their names below `folder`, and what is in them; see embedded.h.
#     cmake -D output=FILE -D folder=FOLDER -D files=NAME;NAME -P Embed.cmake
string(CONCAT text "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by Embed.cmake of the files in core/cli. */\n"
         "#include \"core/cli/embedded.h\"\n")
set(rows "")
set(n 0)
foreach(name IN LISTS files)
  file(READ ${folder}/${name} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],0x[0-9a-f][0-9a-f],)" "\\1\n" bytes "${bytes}")
  string(APPEND text "static const char file_${n}[] = {\n${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", file_${n}},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE ${output} "${text}const struct pdk_embedded pdk_embedded_files[] = {\n${rows}    {0, 0}};\n")
