# cmake --install: the program, its manual page and its completions, where each is looked for.
include(GNUInstallDirs)
install(TARGETS ridgeline RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# The program writes them itself, once it is built.
install(CODE "
  foreach(page \"--man;ridgeline.1\" \"--completion bash;ridgeline\" \"--completion zsh;_ridgeline\" \"--completion fish;ridgeline.fish\")
    list(GET page 0 arguments)
    list(GET page 1 name)
    separate_arguments(arguments)
    execute_process(COMMAND \"${CMAKE_BINARY_DIR}/ridgeline\" \${arguments}
                    OUTPUT_FILE \"${CMAKE_BINARY_DIR}/\${name}.installed\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()")
set(data ${CMAKE_INSTALL_DATADIR})
install(FILES ${CMAKE_BINARY_DIR}/ridgeline.1.installed DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 RENAME ridgeline.1)
install(FILES ${CMAKE_BINARY_DIR}/ridgeline.installed DESTINATION ${data}/bash-completion/completions RENAME ridgeline)
install(FILES ${CMAKE_BINARY_DIR}/_ridgeline.installed DESTINATION ${data}/zsh/site-functions RENAME _ridgeline)
install(FILES ${CMAKE_BINARY_DIR}/ridgeline.fish.installed DESTINATION ${data}/fish/vendor_completions.d RENAME ridgeline.fish)
