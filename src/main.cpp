#include "cli/commands.h"

int main(int argc, char** argv) { return ridgeline::run_command_line(argc, argv); }
