#include "text/tokenizer_json.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/printable.h"
#include "text/text_rules_json.h"
#include "text/vocabulary_check.h"

namespace ridgeline {
namespace {

using nlohmann::json;

template <class... A>
[[noreturn]] void bad_vocabulary(fmt::format_string<A...> text, A&&... args) {
  fail(ExitCode::bad_data, "bad_vocabulary", text, std::forward<A>(args)...);
}

constexpr JsonLimits most = {.bytes = limits::tokenizer_json_bytes, .values = limits::tokenizer_json_values};

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct AddedToken {
  std::optional<int64_t> id;
  std::optional<std::string> content;
  bool special = false, single_word = false, lstrip = false, rstrip = false;
  std::optional<bool> normalized;  // absent: unless special
};

// The vocabulary, the merges and the added tokens as they come, the rest as a tree.
class TokenizerJson : public JsonReader {
 public:
  explicit TokenizerJson(std::string_view text) : JsonReader({"bad_json", "tokenizer.json"}, most) {
    rest = read(text);
  }

  json rest;
  std::vector<std::pair<std::string, int64_t>> vocab;
  std::vector<std::pair<std::string, std::string>> merges;
  std::vector<AddedToken> added;

 private:
  enum { none, in_vocab, in_merges, in_added } part_ = none;

  bool takes(const std::vector<std::string>& path, JsonEvent::Kind kind) override {
    const bool in_model = path.size() == 2 && path[0] == "model", is_list = kind == JsonEvent::begin_array;
    part_ = in_model && path[1] == "vocab" && !is_list                 ? in_vocab
            : in_model && path[1] == "merges" && is_list               ? in_merges
            : path.size() == 1 && path[0] == "added_tokens" && is_list ? in_added
                                                                       : none;
    level_ = 0;
    return part_ != none;
  }

  void taken(const JsonEvent& e) override {
    if (e.kind == JsonEvent::end_array || e.kind == JsonEvent::end_object) level_--;
    switch (part_) {
      case in_vocab: take_vocab(e); break;
      case in_merges: take_merge(e); break;
      case in_added: take_added(e); break;
      case none: break;
    }
    if (e.kind == JsonEvent::begin_array || e.kind == JsonEvent::begin_object) level_++;
  }

  void take_vocab(const JsonEvent& e) {
    if (level_ == 0) return;
    if (e.kind == JsonEvent::key) {
      name_ = std::move(*e.text);
    } else if (e.kind == JsonEvent::integer) {
      vocab.emplace_back(std::move(name_), e.number);
      if (vocab.size() > static_cast<uint64_t>(limits::vocabulary))
        bad_vocabulary("more than {} tokens", limits::vocabulary);
    } else {
      bad(fmt::format("the id of {} is not an integer", printable(name_)));
    }
  }

  // "left right", or ["left", "right"].
  void take_merge(const JsonEvent& e) {
    if (level_ == 0) return;
    if (merges.size() > limits::merges) bad_vocabulary("more than {} merges", limits::merges);
    if (level_ == 1 && e.kind == JsonEvent::string) {
      const size_t at = e.text->find(' ');
      if (at == std::string::npos || e.text->find(' ', at + 1) != std::string::npos)
        bad_vocabulary("merge {} ({}) is not two tokens with a space between", merges.size(), printable(*e.text));
      merges.emplace_back(e.text->substr(0, at), e.text->substr(at + 1));
    } else if (level_ == 1 && e.kind == JsonEvent::begin_array) {
      sides_.clear();
    } else if (level_ == 1 && e.kind == JsonEvent::end_array) {
      if (sides_.size() != 2) bad_vocabulary("merge {} has {} sides: expected 2", merges.size(), sides_.size());
      merges.emplace_back(std::move(sides_[0]), std::move(sides_[1]));
    } else if (level_ == 2 && e.kind == JsonEvent::string && sides_.size() < 3) {
      sides_.push_back(std::move(*e.text));
    } else {
      bad_vocabulary("merge {} is not two texts", merges.size());
    }
  }

  void take_added(const JsonEvent& e) {
    if (level_ == 0) return;
    if (level_ == 1 && e.kind == JsonEvent::begin_object) {
      if (added.size() == limits::added_tokens) bad_vocabulary("more than {} added tokens", limits::added_tokens);
      added.emplace_back();
    } else if (level_ == 1 && e.kind == JsonEvent::end_object) {
      if (!added.back().id || !added.back().content)
        bad(fmt::format("entry {} has no id or no content", added.size() - 1));
    } else if (level_ == 2 && e.kind == JsonEvent::key) {
      name_ = std::move(*e.text);
    } else if (level_ == 2) {
      take_field(added.back(), e);
    } else {
      bad(fmt::format("entry {} is not an object of plain values", added.size()));
    }
  }

  void take_field(AddedToken& token, const JsonEvent& e) {
    auto expect = [&](JsonEvent::Kind kind) {
      if (e.kind != kind) bad(fmt::format("{} of entry {} has another type", printable(name_), added.size() - 1));
    };
    const std::pair<const char*, bool*> flags[] = {{"special", &token.special},
                                                   {"single_word", &token.single_word},
                                                   {"lstrip", &token.lstrip},
                                                   {"rstrip", &token.rstrip}};
    if (e.kind == JsonEvent::begin_array || e.kind == JsonEvent::begin_object) expect(JsonEvent::null);
    if (name_ == "id") expect(JsonEvent::integer), token.id = e.number;
    if (name_ == "content") expect(JsonEvent::string), token.content = std::move(*e.text);
    if (name_ == "normalized") expect(JsonEvent::boolean), token.normalized = e.truth;
    for (auto [name, flag] : flags)
      if (name_ == name) expect(JsonEvent::boolean), *flag = e.truth;
  }

  int level_ = 0;  // of nesting within the part
  std::string name_;
  std::vector<std::string> sides_;
};

// Ids to texts. No more memory than twice the file's own tokens, whatever ids it names.
void set_tokens(TokenizerJson& file, bool has_bytes, Vocabulary& v) {
  const uint64_t count = file.vocab.size() + file.added.size();
  int64_t last = -1;
  auto check = [&](int64_t id, const std::string& text) {
    if (id < 0 || static_cast<uint64_t>(id) >= std::min<uint64_t>(2 * count, static_cast<uint64_t>(limits::vocabulary)))
      bad_vocabulary("{} has the id {}: expected 0 to {}, {} tokens and as many gaps", printable(text), id,
                     2 * count - 1, count);
    last = std::max(last, id);
  };
  for (auto& [text, id] : file.vocab) check(id, text);
  for (auto& token : file.added) check(*token.id, *token.content);

  const auto size = static_cast<size_t>(last + 1);
  std::vector<bool> in_vocab(size), is_added(size);
  v.tokens.resize(size);
  v.types.assign(size, static_cast<int32_t>(TokenType::unused));
  for (auto& [text, id] : file.vocab) {
    const auto at = static_cast<size_t>(id);
    if (in_vocab[at]) bad_vocabulary("{} and {} both have the id {}", printable(v.tokens[at]), printable(text), id);
    in_vocab[at] = true;
    v.types[at] = static_cast<int32_t>(has_bytes && byte_of(text) ? TokenType::byte : TokenType::normal);
    v.tokens[at] = std::move(text);
  }
  for (auto& token : file.added) {
    const auto at = static_cast<size_t>(*token.id);
    if (is_added[at] || (in_vocab[at] && v.tokens[at] != *token.content))
      bad_vocabulary("added token {} has the id {}, which is {}", printable(*token.content), at,
                     printable(v.tokens[at]));
    is_added[at] = true;
    if (token.content->empty()) continue;  // never found
    v.tokens[at] = std::move(*token.content);
    v.types[at] = static_cast<int32_t>(token.special ? TokenType::control : TokenType::user_defined);
    v.added_rules.push_back({static_cast<int32_t>(at), token.lstrip, token.rstrip, token.single_word,
                             token.normalized.value_or(!token.special), in_vocab[at]});
  }
}

using Ids = std::unordered_map<std::string_view, int32_t>;

Ids ids_of(const Vocabulary& v) {
  Ids ids;
  ids.reserve(v.tokens.size());
  for (size_t id = 0; id < v.tokens.size(); id++)
    if (!v.tokens[id].empty()) ids.emplace(v.tokens[id], static_cast<int32_t>(id));
  return ids;
}

void set_merges(const TokenizerJson& file, const Ids& ids, Vocabulary& v) {
  auto id = [&](const std::string& text) {
    auto found = ids.find(text);
    if (found == ids.end()) bad_vocabulary("merge {}: {} is not a token", v.merge_ids.size(), printable(text));
    return found->second;
  };
  v.merge_ids.reserve(file.merges.size());
  for (auto& [left, right] : file.merges) {
    const int32_t first = id(left), second = id(right);
    v.merge_ids.push_back({first, second});
  }
}

std::optional<std::string> token_text(const json& config, const char* name) {
  auto found = config.find(name);
  if (found == config.end() || found->is_null()) return {};
  const json* text = &*found;
  if (text->is_object() && text->contains("content")) text = &(*text)["content"];
  if (!text->is_string())
    fail(ExitCode::bad_data, "bad_json", "tokenizer_config.json: {} is neither text nor an object with \"content\"",
         name);
  return text->get<std::string>();
}

[[noreturn]] void bad_template(std::string_view what) {
  fail(ExitCode::bad_data, "bad_json", "tokenizer_config.json: chat_template {}", what);
}

}  // namespace

Vocabulary read_tokenizer_json(std::span<const std::byte> bytes) {
  TokenizerJson file(text_of(bytes));
  const TextRulesJson rules = read_text_rules(file.rest);
  Vocabulary v;
  v.model = rules.is_in_characters ? "llama" : "gpt2";
  v.rules = rules.rules;
  if (file.vocab.empty() && file.added.empty()) bad_vocabulary("the vocabulary has no tokens");
  set_tokens(file, rules.byte_fallback && rules.is_in_characters, v);
  const Ids ids = ids_of(v);
  set_merges(file, ids, v);
  auto id = [&](const std::optional<std::string>& text, const char* what) -> std::optional<int64_t> {
    if (!text) return {};
    auto found = ids.find(*text);
    if (found == ids.end()) bad_vocabulary("{} is {}, which is not a token", what, printable(*text));
    return found->second;
  };
  v.unk = id(rules.unknown_token, "model.unk_token");
  v.bos = id(rules.first_token, "the post-processor's token");
  v.add_bos = v.bos.has_value();
  if (v.unk && v.types[static_cast<size_t>(*v.unk)] == static_cast<int32_t>(TokenType::control))
    v.types[static_cast<size_t>(*v.unk)] = static_cast<int32_t>(TokenType::unknown);
  const bool has_bytes = std::count(v.types.begin(), v.types.end(), static_cast<int32_t>(TokenType::byte)) > 0;
  if (rules.byte_fallback && rules.is_in_characters && !has_bytes)
    bad_vocabulary("model.byte_fallback is true, but there is no token <0x00> to <0xFF>");
  return v;
}

std::optional<std::string> TokenizerConfig::chat_template() const {
  if (auto found = chat_templates.find("default"); found != chat_templates.end()) return found->second;
  if (chat_templates.size() == 1) return chat_templates.begin()->second;
  return {};
}

TokenizerConfig read_tokenizer_config(std::span<const std::byte> bytes) {
  const json file = read_json(text_of(bytes), {"bad_json", "tokenizer_config.json"}, most);
  if (!file.is_object()) fail(ExitCode::bad_data, "bad_json", "tokenizer_config.json is not an object");
  TokenizerConfig config;
  config.bos_token = token_text(file, "bos_token");
  config.eos_token = token_text(file, "eos_token");
  config.unk_token = token_text(file, "unk_token");
  config.pad_token = token_text(file, "pad_token");
  if (auto add = file.find("add_bos_token"); add != file.end() && !add->is_null()) {
    if (!add->is_boolean())
      fail(ExitCode::bad_data, "bad_json", "tokenizer_config.json: add_bos_token is neither true nor false");
    config.add_bos_token = add->get<bool>();
  }

  auto found = file.find("chat_template");
  if (found == file.end() || found->is_null()) return config;
  if (found->is_string()) {
    config.chat_templates.emplace("default", found->get<std::string>());
    return config;
  }
  if (!found->is_array()) bad_template("is neither text nor a list");
  for (const json& entry : *found) {
    auto field = [&](const char* name) {
      if (!entry.is_object() || !entry.contains(name) || !entry[name].is_string())
        bad_template(fmt::format("holds an entry without the text \"{}\"", name));
      return entry[name].get<std::string>();
    };
    std::string name = field("name"), source = field("template");
    if (!config.chat_templates.emplace(name, std::move(source)).second)
      bad_template(fmt::format("holds {} twice", printable(name)));
  }
  return config;
}

void apply(const TokenizerConfig& config, Vocabulary& v) {
  const Ids ids = ids_of(v);
  auto set = [&](const std::optional<std::string>& text, std::optional<int64_t>& id) {
    if (!text) return;
    if (auto found = ids.find(*text); found != ids.end()) id = found->second;
  };
  set(config.bos_token, v.bos);
  set(config.eos_token, v.eos);
  set(config.pad_token, v.pad);
  if (!v.unk) set(config.unk_token, v.unk);
  if (config.add_bos_token) v.add_bos = config.add_bos_token;
}

}  // namespace ridgeline
