// Text from outside made fit for a message and a terminal, which takes some characters for commands.
#pragma once
#include <string>
#include <string_view>

namespace ridgeline {

// One line: control characters (C0, DEL, C1), those that change the direction of writing or end a line, and bytes that are not
// UTF-8 become "\n" or "\xNN"; after at most `most` bytes of the text comes "...".
std::string escaped(std::string_view text, size_t most = 200);

// The same of every line of a text: its ends of lines and tabs stay.
std::string escaped_lines(std::string_view text);

// One line in quotes, with quotes and backslashes escaped too; what is cut off is told by "..." after the closing quote.
std::string printable(std::string_view text, size_t most = 80);

}  // namespace ridgeline
