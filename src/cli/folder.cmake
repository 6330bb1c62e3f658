# libedit: the line editor of `run`.
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBEDIT REQUIRED IMPORTED_TARGET libedit)
target_link_libraries(ridgeline_cli PUBLIC CLI11::CLI11 PRIVATE PkgConfig::LIBEDIT)
target_compile_definitions(ridgeline_cli PRIVATE RIDGELINE_VERSION="${PROJECT_VERSION}")
