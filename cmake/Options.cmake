# What every line of the house is compiled with.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror)
add_compile_options(-Wno-missing-field-initializers)  # designated initializers leave the rest at their defaults, on purpose
add_compile_options(-ffp-contract=off -fno-math-errno)  # bits must not depend on what the compiler contracts
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-psabi -Wno-restrict)  # GCC 12 sees overlaps in std::string that are none (GCC bug 105651)
else()
  add_compile_options(-Wno-potentially-evaluated-expression)  # typeid(*pointer) is meant to look at what is pointed at
  add_compile_definitions(FMT_CONSTEVAL=)  # clang 14 destroys the wrong temporaries beside an immediate call
endif()

set(RIDGELINE_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined or thread")
if(RIDGELINE_SANITIZE)
  add_compile_options(-fsanitize=${RIDGELINE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_compile_options($<$<CONFIG:Debug>:-O1>)                                  # twice as fast as Debug's -O0
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)      # GCC 12 sees ghosts in instrumented code
  add_link_options(-fsanitize=${RIDGELINE_SANITIZE})
endif()
