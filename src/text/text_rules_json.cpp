#include "text/text_rules_json.h"

#include "base/error.h"
#include "base/printable.h"

namespace ridgeline {
namespace {

using nlohmann::json;

constexpr const char* space = "\xE2\x96\x81";  // U+2581

[[noreturn]] void unsupported(const std::string& what) {
  fail(ExitCode::bad_data, "unsupported_tokenizer",
       "tokenizer.json has {}, which is not supported: without it the tokens would be others", what);
}

[[noreturn]] void malformed(const std::string& what) {
  fail(ExitCode::bad_data, "bad_json", "tokenizer.json: {}", what);
}

struct Pattern {
  const char *name, *text;
};

// As published files have them.
constexpr Pattern patterns[] = {
    {"gpt-2", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {"llama-3",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"qwen2",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"tekken",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"gpt-4o",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
};

// A field of one of the small objects; `absent` where it is missing or null.
template <class T>
T field(const json& object, const char* name, T absent) {
  auto found = object.find(name);
  if (found == object.end() || found->is_null()) return absent;
  const bool fits = std::is_same_v<T, bool> ? found->is_boolean() : found->is_string();
  if (!fits) malformed(fmt::format("\"{}\" has another type", name));
  return found->get<T>();
}

std::string type_of(const json& part, const char* what) {
  if (!part.is_object()) malformed(fmt::format("the {} is not an object", what));
  return field<std::string>(part, "type", "");
}

// A part, or the parts of a Sequence of them, without their empty Sequences: in their order. (Nesting is bounded.)
void flatten(const json& file, const char* what, const char* list, std::vector<const json*>& parts) {
  if (file.is_null()) return;
  if (type_of(file, what) != "Sequence") return parts.push_back(&file);
  auto inner = file.find(list);
  if (inner == file.end() || !inner->is_array()) malformed(fmt::format("a Sequence has no list \"{}\"", list));
  for (const json& part : *inner) flatten(part, what, list, parts);
}

std::vector<const json*> parts_of(const json& file, const char* what, const char* list) {
  std::vector<const json*> parts;
  if (auto found = file.find(what); found != file.end()) flatten(*found, what, list, parts);
  return parts;
}

// {"String": "x"} -> x
std::optional<std::string> literal(const json& part) {
  auto pattern = part.find("pattern");
  if (pattern == part.end() || !pattern->is_object()) malformed("a pattern is missing");
  auto text = pattern->find("String");
  if (text == pattern->end() || !text->is_string()) return {};
  return text->get<std::string>();
}

std::string published_pattern(const json& split) {
  auto regex = split["pattern"].find("Regex");
  if (regex == split["pattern"].end() || !regex->is_string()) unsupported("a pre-tokenizer Split without a Regex");
  const auto text = regex->get<std::string>();
  for (const Pattern& pattern : patterns)
    if (text == pattern.text) return pattern.name;
  fail(ExitCode::bad_data, "unsupported_regex",
       "tokenizer.json cuts text by {} ({} bytes), which is none of the published patterns that are known: another "
       "one "
       "would give other tokens",
       printable(text), text.size());
}

class Reading {
 public:
  explicit Reading(const json& file) : file_(file) {}

  TextRulesJson run() {
    if (!file_.is_object()) malformed("it is not an object");
    model();
    for (const json* part : parts_of(file_, "normalizer", "normalizers")) normalizer(*part);
    pre_tokenizers();
    for (const json* part : parts_of(file_, "post_processor", "processors")) post_processor(*part);
    for (const json* part : parts_of(file_, "decoder", "decoders")) decoder(*part);
    if (it_.byte_fallback && it_.is_in_characters) it_.rules.unknown = Unknown::dropped;  // each byte has its token
    return std::move(it_);
  }

 private:
  void model() {
    auto model = file_.find("model");
    if (model == file_.end() || !model->is_object()) malformed("it has no \"model\"");
    const std::string type = field<std::string>(*model, "type", model->contains("merges") ? "BPE" : "without a type");
    if (type != "BPE")
      unsupported(
          fmt::format("a model of the type {}: expected BPE; Unigram, WordPiece and WordLevel are other algorithms",
                      printable(type)));
    for (auto [name, what] : {std::pair("vocab", "an object"), std::pair("merges", "a list")}) {
      auto found = model->find(name);  // where it is what it should be, it was taken, and null is left in its place
      if (found == model->end() || !found->is_null()) malformed(fmt::format("model.{} is not {}", name, what));
    }
    for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"})
      if (!field<std::string>(*model, name, "").empty()) unsupported(fmt::format("model.{}", name));
    if (auto dropout = model->find("dropout"); dropout != model->end() && !dropout->is_null() && *dropout != 0)
      unsupported("model.dropout");
    it_.byte_fallback = field(*model, "byte_fallback", false);
    it_.rules.whole_words = field(*model, "ignore_merges", false);
    if (auto unknown = field<std::string>(*model, "unk_token", ""); !unknown.empty()) {
      it_.unknown_token = unknown;
      it_.rules.unknown = field(*model, "fuse_unk", false) ? Unknown::run : Unknown::each;
    }
  }

  void normalizer(const json& part) {
    const std::string type = type_of(part, "normalizer");
    if (type == "NFC") {
      it_.rules.compose = true;
    } else if (type == "Prepend" && field<std::string>(part, "prepend", "") == space) {
      it_.rules.space_prefix = SpacePrefix::always;
    } else if (type == "Replace" && literal(part) == " " && field<std::string>(part, "content", "") == space) {
      replaces_space_ = it_.is_in_characters = true;
    } else {
      unsupported(fmt::format("the normalizer {}", printable(type)));
    }
  }

  void pre_tokenizers() {
    const auto parts = parts_of(file_, "pre_tokenizer", "pretokenizers");
    for (const json* part : parts) pre_tokenizer(*part, type_of(*part, "pre-tokenizer"), parts.size());
    if (it_.is_in_characters == is_byte_level_)
      unsupported(it_.is_in_characters ? "both byte-level and SentencePiece's spelling"
                                       : "neither byte-level nor SentencePiece's spelling");
    if (is_byte_level_ && it_.rules.space_prefix == SpacePrefix::always) unsupported("a Prepend before ByteLevel");
    if (it_.is_in_characters && it_.rules.space_prefix == SpacePrefix::always && !replaces_space_)
      unsupported("a Prepend without Replace");
  }

  void pre_tokenizer(const json& part, const std::string& type, size_t count) {
    TextRules& rules = it_.rules;
    if (is_byte_level_) unsupported(fmt::format("the pre-tokenizer {} behind ByteLevel", printable(type)));
    if (type == "ByteLevel") {
      is_byte_level_ = true;
      if (field(part, "use_regex", true)) {
        if (!rules.pattern.empty()) unsupported("two patterns, one behind the other");
        rules.pattern = "gpt-2";
      }
      if (field(part, "add_prefix_space", true)) {
        if (count > 1) unsupported("a space before each word");
        rules.space_prefix = SpacePrefix::where_missing;
      }
    } else if (type == "Digits" && field(part, "individual_digits", false) && rules.pattern.empty()) {
      rules.digits_apart = true;
    } else if (type == "Split") {
      split(part);
    } else if (type == "Metaspace" && count == 1) {
      metaspace(part);
    } else {
      unsupported(fmt::format("the pre-tokenizer {}, here and with these options", printable(type)));
    }
  }

  void split(const json& part) {
    const auto behavior = field<std::string>(part, "behavior", "");
    const bool invert = field(part, "invert", false);
    // Where spaces are replaced, there is none to cut at. (Gemma's.)
    if (literal(part) == " " && replaces_space_) return;
    // What matches is a word, and the patterns leave nothing between matches.
    if (!(behavior == "Isolated" && !invert) && !(behavior == "Removed" && invert))
      unsupported(fmt::format("a Split that is {}{}", invert ? "inverted and " : "", printable(behavior)));
    if (!it_.rules.pattern.empty()) unsupported("two patterns, one behind the other");
    it_.rules.pattern = published_pattern(part);
  }

  void metaspace(const json& part) {
    if (field<std::string>(part, "replacement", space) != space) unsupported("a Metaspace of another character");
    const bool prefix = field(part, "add_prefix_space", true);
    const auto scheme = field<std::string>(part, "prepend_scheme", prefix ? "always" : "never");
    if (scheme != "always" && scheme != "first" && scheme != "never")
      malformed("a Metaspace has another prepend_scheme");
    if (it_.rules.space_prefix != SpacePrefix::none && scheme != "never") unsupported("two spaces before a text");
    if (scheme == "always") it_.rules.space_prefix = SpacePrefix::where_missing;
    if (scheme == "first") it_.rules.space_prefix = SpacePrefix::first_where_missing;
    it_.rules.words_at_spaces = field(part, "split", true);
    it_.is_in_characters = true;
  }

  // ByteLevel only moves offsets. A template may put one token before the text.
  void post_processor(const json& part) {
    const std::string type = type_of(part, "post-processor");
    if (type == "ByteLevel") return;
    if (type != "TemplateProcessing") unsupported(fmt::format("the post-processor {}", printable(type)));
    auto single = part.find("single");
    if (single == part.end() || !single->is_array()) malformed("a TemplateProcessing has no \"single\"");
    bool has_text = false;
    for (const json& item : *single) {
      const bool is_token = item.is_object() && item.contains("SpecialToken"),
                 is_text = item.is_object() && item.contains("Sequence");
      if (is_token == is_text) malformed("a template holds neither SpecialToken nor Sequence");
      if (is_text && !has_text) {
        has_text = true;
      } else if (is_token && !has_text && !it_.first_token && item["SpecialToken"].is_object()) {
        it_.first_token = field<std::string>(item["SpecialToken"], "id", "");
      } else {
        unsupported("a template with more than one token before the text");
      }
    }
    if (!has_text) malformed("a template has no Sequence");
  }

  void decoder(const json& part) {
    const std::string type = type_of(part, "decoder");
    if (type == "ByteLevel" && is_byte_level_) return;
    if (it_.is_in_characters) {
      if (type == "ByteFallback" || type == "Fuse") return;
      if (type == "Replace" && literal(part) == space && field<std::string>(part, "content", "") == " ") return;
      if (type == "Metaspace") {
        it_.rules.strips_space = it_.rules.space_prefix != SpacePrefix::none;
        return;
      }
      if (type == "Strip" && field<std::string>(part, "content", "") == " " && part.value("start", json()) == 1 &&
          part.value("stop", json()) == 0) {
        it_.rules.strips_space = true;
        return;
      }
    }
    unsupported(fmt::format("the decoder {}, here and with these options", printable(type)));
  }

  const json& file_;
  TextRulesJson it_;
  bool replaces_space_ = false, is_byte_level_ = false;
};

}  // namespace

TextRulesJson read_text_rules(const json& file) { return Reading(file).run(); }

}  // namespace ridgeline
