# SPDX-License-Identifier: Apache-2.0
# Everything that the core links. Plugins look for their own.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(BSD REQUIRED IMPORTED_TARGET libbsd-overlay)
find_library(EV_LIBRARY ev REQUIRED)
