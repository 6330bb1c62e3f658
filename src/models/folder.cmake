# Each file of families/ is a family: NAME.cpp defines `const Family& NAME_family()`. The list of them is written here, so that
# a family needs no edit of another file, and no order of static initialisation.
file(GLOB family_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/models/families/*.cpp)
set(family_declarations "")
set(family_addresses "")
foreach(file ${family_files})
  get_filename_component(family ${file} NAME_WE)
  string(APPEND family_declarations "const Family& ${family}_family();\n")
  string(APPEND family_addresses "      &${family}_family(),\n")
endforeach()
configure_file(${CMAKE_SOURCE_DIR}/src/models/families.cpp.in ${CMAKE_BINARY_DIR}/models/families.cpp @ONLY)
target_sources(ridgeline_models PRIVATE ${family_files} ${CMAKE_BINARY_DIR}/models/families.cpp)
