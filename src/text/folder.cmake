# The Rust library behind text_ffi.h: one static library, its crates pinned by Cargo.lock, built by cargo.
find_program(RIDGELINE_CARGO cargo HINTS $ENV{HOME}/.cargo/bin)
find_program(RIDGELINE_RUSTC rustc HINTS $ENV{HOME}/.cargo/bin)
if(NOT RIDGELINE_CARGO OR NOT RIDGELINE_RUSTC)
  message(FATAL_ERROR "src/text needs cargo and rustc 1.87 or newer: install the Debian packages rustc-web and cargo-web, "
                      "or a Rust toolchain whose programs are in PATH")
endif()

# Build directories may share one Rust directory: the library is the same with and without sanitizers.
if(DEFINED ENV{RIDGELINE_RUST_TARGET_DIR})
  set(rust_target_default $ENV{RIDGELINE_RUST_TARGET_DIR})
else()
  set(rust_target_default ${CMAKE_BINARY_DIR}/rust)
endif()
set(RIDGELINE_RUST_TARGET_DIR ${rust_target_default} CACHE PATH "Where cargo builds the text library")

set(rust_dir ${CMAKE_CURRENT_LIST_DIR}/rust)
set(rust_library ${RIDGELINE_RUST_TARGET_DIR}/release/libridgeline_text.a)
file(GLOB rust_sources CONFIGURE_DEPENDS ${rust_dir}/src/*.rs)
add_custom_command(
  OUTPUT ${rust_library}
  COMMAND ${CMAKE_COMMAND} -E env RUSTC=${RIDGELINE_RUSTC}
          ${RIDGELINE_CARGO} build --release --locked --quiet --target-dir ${RIDGELINE_RUST_TARGET_DIR}
  COMMAND ${CMAKE_COMMAND} -E touch ${rust_library}  # cargo leaves an up-to-date file alone, however old
  WORKING_DIRECTORY ${rust_dir}
  DEPENDS ${rust_sources} ${rust_dir}/Cargo.toml ${rust_dir}/Cargo.lock
  COMMENT "Building the text library (Rust; the first time takes a minute or two)"
  USES_TERMINAL
  VERBATIM)
add_custom_target(ridgeline_text_rust_build DEPENDS ${rust_library})

add_library(ridgeline_text_rust STATIC IMPORTED GLOBAL)
set_target_properties(ridgeline_text_rust PROPERTIES IMPORTED_LOCATION ${rust_library})
target_link_libraries(ridgeline_text_rust INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
add_dependencies(ridgeline_text ridgeline_text_rust_build)
target_link_libraries(ridgeline_text PRIVATE ridgeline_text_rust)
