#include "cli/saved_chat.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/limits.h"
#include "base/printable.h"
#include "base/replacement_file.h"
#include "base/utf8.h"
#include "formats/json_file.h"

namespace ridgeline {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view version_key = "ridgeline_chat", beginning = "{\n  \"ridgeline_chat\":";
constexpr int version = 1;

void require_replaceable(const std::string& path) {
  std::error_code error;
  auto kind = std::filesystem::status(path, error).type();
  if (kind == std::filesystem::file_type::not_found || kind == std::filesystem::file_type::none) return;
  std::string begins(beginning.size(), '\0');
  if (kind == std::filesystem::file_type::regular &&
      std::ifstream(path, std::ios::binary).read(begins.data(), static_cast<std::streamsize>(begins.size())) &&
      begins == beginning)
    return;
  fail(ExitCode::usage, "not_a_chat", "{} is there, and is no saved conversation: choose another name", path);
}

// Values of the document, each with its type; what is wrong is said with its place.
[[noreturn]] void bad(const std::string& what) { fail(ExitCode::bad_data, "bad_chat", "{}", what); }

void require_keys(const nlohmann::json& j, const std::string& place, std::initializer_list<std::string_view> known) {
  if (!j.is_object()) bad(fmt::format("{} is {}: expected an object", place, j.type_name()));
  for (const auto& [key, value] : j.items())
    if (std::ranges::find(known, key) == known.end())
      bad(fmt::format("{} has the key '{}': expected {}", place, escaped(key, 48), fmt::join(known, ", ")));
}
const nlohmann::json& at(const nlohmann::json& j, const std::string& place, const char* key) {
  auto found = j.find(key);
  if (found == j.end()) bad(fmt::format("{} has no key '{}'", place, key));
  return *found;
}
std::string text_at(const nlohmann::json& j, const std::string& place, const char* key) {
  const auto& value = at(j, place, key);
  if (!value.is_string()) bad(fmt::format("{} of {} is {}: expected a text", key, place, value.type_name()));
  return value.get<std::string>();
}
std::vector<int32_t> ids_of(const nlohmann::json& list, const std::string& place) {
  if (!list.is_array()) bad(fmt::format("tokens of {} are {}: expected a list", place, list.type_name()));
  std::vector<int32_t> ids;
  for (const auto& id : list) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > INT32_MAX)
      bad(fmt::format("tokens of {} hold {}: expected ids", place, escaped(id.dump(), 48)));
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

SavedChat read_chat(const nlohmann::json& j) {
  const std::string all = "the conversation";
  require_keys(j, all, {version_key, "model", "system", "turns", "settings"});
  const auto& number = at(j, all, version_key.data());
  if (number != version) bad(fmt::format("its version is {}: expected {}", escaped(number.dump(), 48), version));
  SavedChat chat{text_at(j, all, "model"), text_at(j, all, "system"), {}, at(j, all, "settings")};
  if (!chat.settings.is_object()) bad(fmt::format("settings are {}: expected an object", chat.settings.type_name()));
  const auto& turns = at(j, all, "turns");
  if (!turns.is_array()) bad(fmt::format("turns are {}: expected a list", turns.type_name()));
  for (const auto& t : turns) {
    std::string place = fmt::format("turn {}", chat.turns.size() + 1);
    require_keys(t, place, {"role", "content", "tokens"});
    Turn turn{text_at(t, place, "role"), text_at(t, place, "content"), {}};
    const char* expected = chat.turns.size() % 2 ? "assistant" : "user";
    if (turn.role != expected)
      bad(fmt::format("the role of {} is '{}': expected '{}'", place, escaped(turn.role, 48), expected));
    if (auto list = t.find("tokens"); list != t.end()) turn.tokens = ids_of(*list, place);
    chat.turns.push_back(std::move(turn));
  }
  if (chat.turns.size() % 2) bad(fmt::format("turn {} has no answer", chat.turns.size()));
  return chat;
}

std::string as_utf8(std::string text) {
  std::string valid;
  append_utf8(text, valid);
  if (!text.empty()) valid += replacement_character;
  return valid;
}

}  // namespace

void save_chat(const std::string& path, const SavedChat& chat) {
  require_replaceable(path);
  OrderedJson turns = OrderedJson::array();
  for (const Turn& t : chat.turns) {
    turns.push_back({{"role", t.role}, {"content", as_utf8(t.content)}});
    if (!t.tokens.empty()) turns.back()["tokens"] = t.tokens;
  }
  OrderedJson j{{version_key, version},
                {"model", as_utf8(chat.model)},
                {"system", as_utf8(chat.system)},
                {"turns", turns},
                {"settings", chat.settings}};
  ReplacementFile file(path, 0600, "; the conversation goes on, and is not saved");
  file.write(j.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  file.finish();
}

SavedChat load_chat(const std::string& path) try {
  return read_chat(
      read_json_file(path, {"bad_chat", "the conversation"}, {limits::chat_file_bytes, limits::chat_file_values}));
} catch (const Error& e) { throw e.loading(path); }

}  // namespace ridgeline
